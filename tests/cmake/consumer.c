/* A user of the installed library, through the umbrella alone: prints a graph's size and the
   layers that were linked in. */
#include <graphstill/graphstill.h>
#include <stdio.h>

int main(void) {
    gs_dataset *data = NULL;
    if (gs_dataset_karate(&data) != GS_OK || gs_dataset_check(data) != GS_OK) {
        fprintf(stderr, "%s\n", gs_reason());
        return 1;
    }
    printf("%lld nodes", (long long)data->n);
    for (int k = 0; gs_layers[k]; k++)
        printf(" %s", gs_layers[k]->name);
    printf("\n");
    gs_dataset_free(data);
    return 0;
}
