/* nearest.c - the word that was probably meant. */
#include <string.h>

#include "base/option.h"

#define LONGEST 48

/* Edits (insert, delete, replace, swap of neighbours) between two words; more than LONGEST letters
   count as far away. */
static int edit_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    int row[3][LONGEST + 1];
    if (n > LONGEST || m > LONGEST)
        return 2 * LONGEST;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

const char *gs_nearest(const char *word, const char *const *names) {
    const char *nearest = NULL;
    int least = 2 * LONGEST;
    for (; *names; names++) {
        int distance = edit_distance(word, *names);
        if (distance < least) {
            least = distance;
            nearest = *names;
        }
    }
    int allowed = (int)strlen(word) / 3 + 1;
    return least <= allowed ? nearest : NULL;
}
