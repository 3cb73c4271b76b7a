#include "grad/tape.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

/* Payload comes in size classes, four to each power of two, from 256 bytes up. A recording takes
   blocks from the class's free list; the next recording finds them all there again. */
#define CLASSES 160
#define SMALLEST 256

typedef struct block {
    struct block *next; /* in the free list or the used list of its class */
    void *data;
    int class;
} block;

#define SLAB 64
typedef struct slab {
    struct slab *next;
    gs_node node[SLAB];
} slab;

struct gs_tape {
    block *idle[CLASSES], *used[CLASSES];
    slab *first_slab, *slab_at;
    int slab_fill;
    gs_node *last; /* most recent node */
    uint64_t seed, step;
    bool training, forward_only, varies;
    const int64_t *ids;
    gs_status failure;
    int64_t payload;
    gs_node dead; /* what ops return once the tape has failed */
    float nothing;
};

gs_tape *gs_tape_new(void) {
    gs_tape *t = gs_calloc(1, sizeof *t);
    if (t)
        gs_tape_start(t, 0, 0, false);
    return t;
}

static void free_blocks(block *b) {
    while (b) {
        block *next = b->next;
        gs_free(b->data);
        gs_free(b);
        b = next;
    }
}

static void return_block(gs_tape *t, block **b) {
    if (*b) {
        (*b)->next = t->idle[(*b)->class];
        t->idle[(*b)->class] = *b;
    }
    *b = NULL;
}

/* What nodes still hold of their own. */
static void return_nodes(gs_tape *t) {
    for (gs_node *node = t->last; node; node = node->next) {
        return_block(t, &node->value_block);
        return_block(t, &node->grad_block);
    }
    t->last = NULL;
}

void gs_tape_free(gs_tape *t) {
    if (!t)
        return;
    return_nodes(t);
    for (int k = 0; k < CLASSES; k++) {
        free_blocks(t->idle[k]);
        free_blocks(t->used[k]);
    }
    for (slab *s = t->first_slab; s;) {
        slab *next = s->next;
        gs_free(s);
        s = next;
    }
    gs_free(t);
}

static int size_class(size_t bytes, size_t *rounded) {
    int k = 0;
    size_t base = SMALLEST;
    while (bytes > base * 2 && k < CLASSES - 8) {
        base *= 2;
        k += 4;
    }
    for (size_t quarter = 0; quarter <= 4; quarter++) {
        *rounded = base + quarter * (base / 4);
        if (bytes <= *rounded)
            return k + (int)quarter;
    }
    return k + 4;
}

/* A block that is in no list. */
static block *take_block(gs_tape *t, size_t bytes) {
    size_t rounded;
    if (t->failure != GS_OK)
        return NULL;
    int k = size_class(bytes > 0 ? bytes : 1, &rounded);
    int most = t->varies ? k + 4 : k; /* four classes to each power of two */
    for (int c = k; c <= most && c < CLASSES; c++) {
        block *idle = t->idle[c];
        if (!idle)
            continue;
        t->idle[c] = idle->next;
        return idle;
    }
    block *b = NULL;
    b = gs_calloc(1, sizeof *b);
    if (b && !(b->data = gs_alloc(rounded))) {
        gs_free(b);
        b = NULL;
    }
    if (!b) {
        t->failure = GS_NO_MEMORY;
        return NULL;
    }
    b->class = k;
    t->payload += (int64_t)rounded;
    return b;
}

void *gs_tape_extra(gs_tape *t, size_t bytes) {
    block *b = take_block(t, bytes);
    if (!b)
        return NULL;
    b->next = t->used[b->class];
    t->used[b->class] = b;
    return b->data;
}

void gs_tape_start(gs_tape *t, uint64_t seed, uint64_t step, bool training) {
    for (int k = 0; k < CLASSES; k++)
        while (t->used[k]) {
            block *b = t->used[k];
            t->used[k] = b->next;
            b->next = t->idle[k];
            t->idle[k] = b;
        }
    return_nodes(t);
    t->slab_at = t->first_slab;
    t->slab_fill = 0;
    t->seed = seed;
    t->step = step;
    t->training = training;
    t->forward_only = false;
    t->ids = NULL;
    t->failure = GS_OK;
}

void gs_tape_varies(gs_tape *t, bool varies) { t->varies = varies; }

bool gs_tape_training(const gs_tape *t) { return t->training; }
void gs_tape_row_ids(gs_tape *t, const int64_t *id) { t->ids = id; }
const int64_t *gs_tape_ids(const gs_tape *t) { return t->ids; }
uint64_t gs_tape_seed(const gs_tape *t) { return t->seed; }
uint64_t gs_tape_step(const gs_tape *t) { return t->step; }
int64_t gs_tape_payload(const gs_tape *t) { return t->payload; }
gs_status gs_tape_status(const gs_tape *t) { return t->failure; }

void gs_tape_fail(gs_tape *t, gs_status status) {
    if (t->failure == GS_OK)
        t->failure = status;
}

gs_var *gs_tape_dead(gs_tape *t) {
    t->dead = (gs_node){0};
    t->dead.out.value = (gs_matrix){.rows = 1, .cols = 1, .data = &t->nothing};
    return &t->dead.out;
}

/* A zeroed node, chained behind the last one. */
static gs_node *take_node(gs_tape *t) {
    if (t->failure != GS_OK)
        return NULL;
    if (!t->slab_at || t->slab_fill == SLAB) {
        slab *next = t->slab_at ? t->slab_at->next : t->first_slab;
        if (!next) {
            next = gs_calloc(1, sizeof *next);
            if (!next) {
                t->failure = GS_NO_MEMORY;
                return NULL;
            }
            if (t->slab_at)
                t->slab_at->next = next;
            else
                t->first_slab = next;
        }
        t->slab_at = next;
        t->slab_fill = 0;
    }
    gs_node *node = &t->slab_at->node[t->slab_fill++];
    *node = (gs_node){.next = t->last};
    t->last = node;
    return node;
}

gs_node *gs_tape_node(gs_tape *t, int64_t rows, int64_t cols, gs_back_fn *back, gs_var *a,
                      gs_var *b, gs_var *c) {
    gs_node *node = take_node(t);
    if (!node)
        return NULL;
    if (rows >= 0) {
        node->out.value = (gs_matrix){.rows = rows, .cols = cols};
        node->value_block = take_block(t, (size_t)(rows * cols) * sizeof(float));
        if (!node->value_block)
            return NULL;
        node->out.value.data = node->value_block->data;
    }
    node->in[0] = a;
    node->in[1] = b;
    node->in[2] = c;
    node->back = back;
    for (int k = 0; k < 3; k++)
        node->out.needs_grad = node->out.needs_grad || (node->in[k] && node->in[k]->needs_grad);
    return node;
}

gs_var *gs_tape_constant(gs_tape *t, const gs_matrix *m) {
    gs_node *node = take_node(t);
    if (!node)
        return gs_tape_dead(t);
    node->out.value = *m;
    return &node->out;
}

gs_var *gs_tape_fixed(gs_tape *t, const gs_matrix *m) {
    gs_var *v = gs_tape_constant(t, m);
    v->fixed = t->failure == GS_OK;
    return v;
}

gs_var *gs_tape_sparse(gs_tape *t, gs_csr *x) {
    gs_node *node = take_node(t);
    if (!node)
        return gs_tape_dead(t);
    node->out.value = (gs_matrix){.rows = x->rows, .cols = x->cols};
    node->out.sparse = x;
    return &node->out;
}

gs_var *gs_tape_param(gs_tape *t, gs_matrix *value, gs_matrix *grad) {
    for (gs_node *node = t->last; node; node = node->next)
        if (node->value_of == value)
            return &node->out;
    gs_node *node = take_node(t);
    if (!node)
        return gs_tape_dead(t);
    node->out.value = *value;
    node->value_of = value;
    node->out.needs_grad = grad && grad->data;
    if (node->out.needs_grad)
        node->out.grad = *grad;
    return &node->out;
}

gs_var *gs_tape_input(gs_tape *t, const gs_matrix *m) {
    gs_var *v = gs_tape_constant(t, m);
    if (t->failure == GS_OK)
        v->needs_grad = true;
    return v;
}

gs_matrix *gs_grad_of(gs_tape *t, gs_var *v, bool *fresh) {
    if (fresh)
        *fresh = false;
    if (!v || !v->needs_grad || t->failure != GS_OK)
        return NULL;
    gs_node *node = (gs_node *)(void *)v; /* out is a node's first member */
    if (!v->grad.data) {
        v->grad = v->value;
        v->grad.data = NULL;
        node->grad_block = take_block(t, (size_t)(v->value.rows * v->value.cols) * sizeof(float));
        if (!node->grad_block)
            return NULL;
        v->grad.data = node->grad_block->data;
    }
    if (!node->touched) {
        node->touched = true;
        if (fresh)
            *fresh = true;
        else
            gs_matrix_zero(&v->grad);
    }
    return &v->grad;
}

gs_matrix *gs_grad_over(gs_tape *t, gs_node *node, gs_var *v, bool *fresh) {
    gs_node *below = (gs_node *)(void *)v;
    bool moves = v && v->needs_grad && !v->grad.data && !below->touched && node->grad_block &&
                 v->value.rows == node->out.grad.rows && v->value.cols == node->out.grad.cols;
    if (!moves || t->failure != GS_OK)
        return gs_grad_of(t, v, fresh);
    below->grad_block = node->grad_block;
    node->grad_block = NULL;
    v->grad = node->out.grad;
    below->touched = true;
    *fresh = true;
    return &v->grad;
}

void gs_tape_forget(gs_tape *t, gs_var *v) {
    gs_node *node = (gs_node *)(void *)v;
    if (t->failure == GS_OK && v->spare)
        return_block(t, &node->value_block);
}

void gs_tape_forward_only(gs_tape *t) { t->forward_only = true; }

void gs_tape_release(gs_tape *t, const gs_var *mark, gs_var *const *keep, int count) {
    if (!t->forward_only || t->failure != GS_OK)
        return;
    for (gs_node *node = t->last; node; node = node->next) {
        bool kept = false;
        for (int k = 0; k < count; k++)
            kept = kept || keep[k] == &node->out;
        if (!kept)
            return_block(t, &node->value_block);
        if (&node->out == mark)
            break;
    }
}

void gs_tape_lighten(gs_tape *t, gs_var *v) {
    gs_node *node = (gs_node *)(void *)v;
    for (; t->failure == GS_OK && node && node->redo && node->value_block;
         node = (gs_node *)(void *)node->in[0]) {
        return_block(t, &node->value_block);
        node->forgotten = true;
    }
}

/* Makes a forgotten value again, and first what it is made of. */
static void remember(gs_tape *t, gs_var *v) {
    gs_node *node = (gs_node *)(void *)v;
    if (!v || !node->forgotten || t->failure != GS_OK)
        return;
    for (int k = 0; k < GS_OP_INPUTS; k++)
        remember(t, node->in[k]);
    node->value_block = take_block(t, (size_t)(v->value.rows * v->value.cols) * sizeof(float));
    if (!node->value_block)
        return;
    v->value.data = node->value_block->data;
    node->forgotten = false;
    node->redo(t, node);
}

gs_node *gs_tape_node_over(gs_tape *t, gs_back_fn *back, gs_var *a, gs_var *b) {
    gs_node *from = (gs_node *)(void *)a;
    if (!a->spare || !from->value_block)
        return gs_tape_node(t, a->value.rows, a->value.cols, back, a, b, NULL);
    gs_node *node = gs_tape_node(t, -1, 0, back, a, b, NULL);
    if (!node)
        return NULL;
    node->out.value = a->value;
    node->value_block = from->value_block;
    from->value_block = NULL;
    return node;
}

gs_status gs_backward(gs_tape *t, gs_var *scalar) {
    if (t->failure != GS_OK)
        return t->failure;
    if (!isfinite(scalar->value.data[0]))
        return gs_fail(GS_FAILED, "The loss is not finite; lower the learning rate or check the "
                                  "features.");
    if (scalar->needs_grad) {
        gs_matrix *g = gs_grad_of(t, scalar, NULL);
        if (g)
            g->data[0] = 1;
    }
    for (gs_node *node = t->last; node && t->failure == GS_OK; node = node->next) {
        if (node->out.needs_grad && node->touched && node->back) {
            remember(t, &node->out);
            for (int k = 0; k < GS_OP_INPUTS; k++)
                remember(t, node->in[k]);
            node->back(t, node);
            if (node->out.value.rows * node->out.value.cols > 1)
                return_block(t, &node->value_block); /* its readers have all run */
            return_block(t, &node->grad_block);      /* nobody reads it any more */
            node->out.grad.data = NULL;
        } else if (node->value_of && node->out.needs_grad && !node->touched)
            gs_matrix_zero(&node->out.grad);
    }
    return t->failure;
}
