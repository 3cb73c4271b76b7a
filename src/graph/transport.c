#include "graph/transport.h"

#include <string.h>

#include "base/alloc.h"

#define FAR 3 /* over both ends of the edge */

gs_status transport_open(transport *t, const gs_csr *a, int64_t exact) {
    gs_status status = GS_OK;
    int64_t n = a->rows, widest = 0, list = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t degree = a->ptr[i + 1] - a->ptr[i], around = degree;
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            around += a->ptr[a->col[e] + 1] - a->ptr[a->col[e]];
        widest = degree > widest ? degree : widest;
        list = around > list ? around : list;
    }
    /* Sources are a node and its neighbours, and so are sinks: (d_i + 1)(d_j + 1) <= 2 d_i d_j + 2.
     */
    int64_t most = widest + 2, few = exact + 2 < most ? exact + 2 : most;
    *t = (transport){.exact = exact, .stamp = 0};
    GS_NEW(t->source, most);
    GS_NEW(t->sink, most);
    GS_NEW(t->have, most);
    GS_NEW(t->lack, most);
    GS_NEW(t->place, n + 1);
    GS_NEW(t->head, n + 1);
    GS_NEW(t->next, list + 1);
    GS_NEW(t->listed, list + 1);
    GS_NEW(t->flow, 2 * exact + 2);
    GS_NEW(t->cost, 2 * exact + 2);
    GS_NEW(t->price, 2 * few);
    GS_NEW(t->far, 2 * few);
    GS_NEW(t->done, 2 * few);
    GS_NEW(t->mark, n + 1);
    for (int64_t i = 0; i < n; i++)
        t->place[i] = t->head[i] = -1;
done:
    return status;
}

void transport_close(transport *t) {
    gs_free(t->source);
    gs_free(t->sink);
    gs_free(t->have);
    gs_free(t->lack);
    gs_free(t->place);
    gs_free(t->head);
    gs_free(t->next);
    gs_free(t->listed);
    gs_free(t->flow);
    gs_free(t->cost);
    gs_free(t->price);
    gs_free(t->far);
    gs_free(t->done);
    gs_free(t->mark);
    *t = (transport){0};
}

void transport_clear(transport *t) { t->sources = t->sinks = 0; }

void transport_add(transport *t, int64_t node, int64_t mass) {
    if (mass > 0) {
        t->source[t->sources] = (int32_t)node;
        t->have[t->sources++] = mass;
    } else if (mass < 0) {
        t->sink[t->sinks] = (int32_t)node;
        t->lack[t->sinks++] = -mass;
    }
}

/* Moves what it can from source s to sink k; returns how much. */
static int64_t move(transport *t, int64_t s, int64_t k) {
    int64_t mass = t->have[s] < t->lack[k] ? t->have[s] : t->lack[k];
    t->have[s] -= mass;
    t->lack[k] -= mass;
    return mass;
}

/* Lists, at every node next to a sink, the sinks that it is next to. */
static void list_sinks(transport *t, const gs_csr *a) {
    int32_t count = 0;
    for (int64_t k = t->sinks - 1; k >= 0; k--)
        for (int64_t e = a->ptr[t->sink[k]]; t->lack[k] > 0 && e < a->ptr[t->sink[k] + 1]; e++) {
            t->listed[count] = (int32_t)k;
            t->next[count] = t->head[a->col[e]];
            t->head[a->col[e]] = count++;
        }
}

/* Moves over two hops, through a node that is next to both. */
static int64_t move_over_two(transport *t, const gs_csr *a, int64_t s) {
    int64_t cost = 0, u = t->source[s];
    for (int64_t e = a->ptr[u]; t->have[s] > 0 && e < a->ptr[u + 1]; e++) {
        int32_t *at = &t->head[a->col[e]];
        while (t->have[s] > 0 && *at >= 0) {
            cost += 2 * move(t, s, t->listed[*at]);
            if (t->lack[t->listed[*at]] == 0)
                *at = t->next[*at];
        }
    }
    return cost;
}

int64_t transport_greedy(transport *t, const gs_csr *a) {
    int64_t cost = 0;
    for (int64_t k = 0; k < t->sinks; k++)
        t->place[t->sink[k]] = (int32_t)k;
    for (int64_t s = 0; s < t->sources; s++)
        for (int64_t u = t->source[s], e = a->ptr[u]; t->have[s] > 0 && e < a->ptr[u + 1]; e++)
            if (t->place[a->col[e]] >= 0)
                cost += move(t, s, t->place[a->col[e]]);
    list_sinks(t, a);
    for (int64_t s = 0; s < t->sources; s++) {
        cost += move_over_two(t, a, s);
        cost += FAR * t->have[s];
    }
    for (int64_t k = 0; k < t->sinks; k++) {
        t->place[t->sink[k]] = -1;
        for (int64_t e = a->ptr[t->sink[k]]; e < a->ptr[t->sink[k] + 1]; e++)
            t->head[a->col[e]] = -1;
    }
    return cost;
}

/* cost[s,k]: hops from a source to a sink. */
static void measure(transport *t, const gs_csr *a) {
    for (int64_t s = 0; s < t->sources; s++) {
        int64_t u = t->source[s];
        t->stamp++;
        for (int64_t e = a->ptr[u]; e < a->ptr[u + 1]; e++)
            t->mark[a->col[e]] = t->stamp;
        for (int64_t k = 0; k < t->sinks; k++) {
            int64_t v = t->sink[k];
            int8_t hops = t->mark[v] == t->stamp ? 1 : FAR;
            for (int64_t e = a->ptr[v]; hops == FAR && e < a->ptr[v + 1]; e++)
                hops = t->mark[a->col[e]] == t->stamp ? 2 : FAR;
            t->cost[s * t->sinks + k] = hops;
        }
    }
}

/* Hops from source s to sink k beyond what their prices pay for: at least 0, 0 where mass flows. */
static int64_t beyond(const transport *t, int64_t s, int64_t k) {
    return t->cost[s * t->sinks + k] + t->price[s] - t->price[t->sources + k];
}

/* Dijkstra over what flow leaves free, from all sources that have mass; how far the nearest sink
   that lacks some is, or -1. */
static int64_t nearest(transport *t) {
    const int64_t never = INT64_MAX / 4;
    int64_t m = t->sources, all = m + t->sinks;
    for (int64_t v = 0; v < all; v++) {
        t->far[v] = v < m && t->have[v] > 0 ? 0 : never;
        t->done[v] = false;
    }
    while (true) {
        int64_t v = -1;
        for (int64_t w = 0; w < all; w++)
            if (!t->done[w] && t->far[w] < never && (v < 0 || t->far[w] < t->far[v]))
                v = w;
        if (v < 0 || (v >= m && t->lack[v - m] > 0))
            return v < 0 ? -1 : t->far[v];
        t->done[v] = true;
        for (int64_t k = 0; v < m && k < t->sinks; k++)
            if (t->far[v] + beyond(t, v, k) < t->far[m + k])
                t->far[m + k] = t->far[v] + beyond(t, v, k);
        for (int64_t s = 0; v >= m && s < m; s++)
            if (t->flow[s * t->sinks + v - m] > 0 && t->far[v] < t->far[s])
                t->far[s] = t->far[v];
    }
}

/* Sends up to `mass` from source s to a sink that lacks some, only where prices pay for every hop;
   returns how much. What was tried in vain stays done. */
static int64_t push(transport *t, int64_t s, int64_t mass) {
    int64_t m = t->sources;
    t->done[s] = true;
    for (int64_t k = 0; k < t->sinks; k++) {
        int64_t sent = 0;
        if (t->done[m + k] || beyond(t, s, k) != 0)
            continue;
        t->done[m + k] = true;
        if (t->lack[k] > 0) {
            sent = mass < t->lack[k] ? mass : t->lack[k];
            t->lack[k] -= sent;
        }
        for (int64_t r = 0; sent == 0 && r < m; r++) { /* in place of what comes from r */
            int64_t flow = t->flow[r * t->sinks + k];
            if (flow == 0 || t->done[r])
                continue;
            sent = push(t, r, flow < mass ? flow : mass);
            t->flow[r * t->sinks + k] -= sent;
        }
        t->flow[s * t->sinks + k] += sent;
        if (sent > 0)
            return sent;
    }
    return 0;
}

/* Primal and dual by turns: prices rise by the nearest way that is left, then all mass goes that
   they pay for. As hops are 1 to 3, there are few turns. */
int64_t transport_exact(transport *t, const gs_csr *a) {
    int64_t size = t->sources * t->sinks, all = t->sources + t->sinks, cost = 0, rise;
    measure(t, a);
    memset(t->flow, 0, (size_t)size * sizeof *t->flow);
    memset(t->price, 0, (size_t)all * sizeof *t->price);
    while ((rise = nearest(t)) >= 0) {
        for (int64_t v = 0; v < all; v++)
            t->price[v] += t->far[v] < rise ? t->far[v] : rise;
        memset(t->done, 0, (size_t)all * sizeof *t->done);
        for (int64_t s = 0; s < t->sources; s++)
            while (t->have[s] > 0) {
                int64_t sent = push(t, s, t->have[s]);
                t->have[s] -= sent;
                if (sent == 0)
                    break;
                memset(t->done, 0, (size_t)all * sizeof *t->done);
            }
    }
    for (int64_t e = 0; e < size; e++)
        cost += t->flow[e] * t->cost[e];
    return cost;
}
