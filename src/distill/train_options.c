#include <string.h>

#include "distill/train.h"

const gs_option gs_train_options[] = {
    {"epochs", GS_OPT_INT, offsetof(gs_train_config, epochs), "200", 0, 1e7, NULL,
     "Passes over the training nodes."},
    {"patience", GS_OPT_INT, offsetof(gs_train_config, patience), "50", 0, 1e7, NULL,
     "Evaluations without improvement before stopping early; 0 never stops."},
    {"select", GS_OPT_CHOICE, offsetof(gs_train_config, select), "accuracy", 0, 0,
     GS_SELECTION_CHOICES,
     "Which parameters are kept: best validation accuracy, ROC-AUC (two classes, or several labels "
     "a "
     "node) or micro-F1, lowest validation loss, or the last; both: where neither accuracy nor "
     "loss "
     "has been better, and patience starts anew when one of them is the best so far."},
    {"ties", GS_OPT_CHOICE, offsetof(gs_train_config, ties), "later", 0, 0, "later|earlier",
     "Which of two equally good epochs is kept."},
    {"eval_every", GS_OPT_INT, offsetof(gs_train_config, eval_every), "1", 1, 1e6, NULL,
     "Epochs between evaluations."},
    {"lr", GS_OPT_FLOAT, offsetof(gs_train_config, lr), "0.01", 0, 1e3, NULL, "Learning rate."},
    {"lr_schedule", GS_OPT_CHOICE, offsetof(gs_train_config, lr_schedule), "constant", 0, 0,
     GS_LR_SCHEDULE_CHOICES,
     "How the learning rate falls: by lr_factor every lr_step epochs (step) or where lr_step "
     "evaluations bring no lower validation loss (plateau), or to lr_least at the last epoch "
     "(linear, cosine)."},
    {"lr_factor", GS_OPT_FLOAT, offsetof(gs_train_config, lr_factor), "0.5", 0, 1, NULL,
     "Factor of the learning rate (lr_schedule step and plateau)."},
    {"lr_step", GS_OPT_INT, offsetof(gs_train_config, lr_step), "100", 1, 1e7, NULL,
     "Epochs, or evaluations, between two falls (lr_schedule step and plateau)."},
    {"lr_least", GS_OPT_FLOAT, offsetof(gs_train_config, lr_least), "0", 0, 1e3, NULL,
     "Learning rate that a schedule does not go below."},
    {"warmup", GS_OPT_INT, offsetof(gs_train_config, warmup), "0", 0, 1e7, NULL,
     "Epochs in which the learning rate rises linearly to lr."},
    {"clip_norm", GS_OPT_FLOAT, offsetof(gs_train_config, clip_norm), "0", 0, 1e9, NULL,
     "Gradients whose joint Euclidean norm is larger are scaled down to it; 0 never."},
    {"weight_decay", GS_OPT_FLOAT, offsetof(gs_train_config, weight_decay), "0.0005", 0, 1e3, NULL,
     "Weight decay: added to the gradient by adam, decoupled in adamw."},
    {"decay_layers", GS_OPT_CHOICE, offsetof(gs_train_config, decay_layers), "all", 0, 0,
     "all|first", "Layers whose parameters decay."},
    {"weight_decay_ends", GS_OPT_FLOAT, offsetof(gs_train_config, weight_decay_ends), "-1", -1, 1e3,
     NULL, "Weight decay of linear layers before and after the stack; -1 is weight_decay."},
    {"optimizer", GS_OPT_CHOICE, offsetof(gs_train_config, optimizer), "adam", 0, 0, "adam|adamw",
     "Adam, or AdamW with decoupled weight decay."},
    {"batch_size", GS_OPT_INT, offsetof(gs_train_config, batch_size), "0", 0, 1e9, NULL,
     "Nodes a step, shuffled each epoch; 0 takes all at once. For models without a graph, and with "
     "sampling=neighbours."},
    {"sampling", GS_OPT_CHOICE, offsetof(gs_train_config, sampling), "none", 0, 0,
     "none|neighbours|clusters|graphs",
     "What a step of a model with a graph reads: the whole graph, a sample of the neighbours of "
     "batch_size nodes, the part inside of batch_parts clusters, or batch_parts graphs of "
     "several."},
    {"fanout", GS_OPT_VALUE, offsetof(gs_train_config, fanout), "10", 0, 0, NULL,
     "Neighbours sampled for each node (sampling neighbours): one number, or one for each layer "
     "from "
     "the first to the last, as in 10,5; 0 takes all."},
    {"parts", GS_OPT_INT, offsetof(gs_train_config, parts), "32", 1, 1e9, NULL,
     "Clusters that the graph is cut into (sampling clusters)."},
    {"batch_parts", GS_OPT_INT, offsetof(gs_train_config, batch_parts), "1", 1, 1e9, NULL,
     "Clusters or graphs a step."},
    {"label_input", GS_OPT_FLOAT, offsetof(gs_train_config, label_input), "0", 0, 1, NULL,
     "Labels of training nodes become features: in each step this share of them, and the others "
     "are "
     "learned from; all of them when answering. 0: none. For models with a graph."},
    {"label_rounds", GS_OPT_INT, offsetof(gs_train_config, label_rounds), "0", 0, 100, NULL,
     "With label_input: times that the model's own answers are put in for the labels that are not "
     "known (label reuse)."},
    {"edge_dropout", GS_OPT_FLOAT, offsetof(gs_train_config, edge_dropout), "0", 0, 0.999, NULL,
     "Share of the edges that a step leaves out; operators are made of the others."},
    {"drop_last", GS_OPT_BOOL, offsetof(gs_train_config, drop_last), "false", 0, 0, NULL,
     "Leave out the incomplete last batch of an epoch, as GLNN's code does."},
    {"schedule", GS_OPT_CHOICE, offsetof(gs_train_config, schedule), "sum", 0, 0,
     "sum|alternate|alternate_all",
     "Add the methods' losses, or sweep over each method's nodes in turn with steps of its own; "
     "with alternate_all for those of weight 0 too that need no teacher, as GLNN's code does: "
     "weight "
     "decay and Adam's moments move the weights in them."},
    {"normalize_features", GS_OPT_BOOL, offsetof(gs_train_config, normalize_features), "false", 0,
     0, NULL, "Divide each node's features by the sum of their magnitudes."},
    {"inputs", GS_OPT_CHOICE, offsetof(gs_train_config, inputs), "x", 0, 0, GS_INPUTS_CHOICES,
     "What the model reads of a node: its features, or beside them its position in the graph, or "
     "what is passed on to it over hops."},
    {"input_hops", GS_OPT_INT, offsetof(gs_train_config, input_hops), "2", 0, 100, NULL,
     "With inputs=x+hops: hops k of [X, S X, ..., S^k X]."},
    {"hops_only", GS_OPT_BOOL, offsetof(gs_train_config, hops_only), "false", 0, 0, NULL,
     "With inputs=x+hops: S^k X alone, without the hops before (the features of SGC)."},
    {"position_size", GS_OPT_INT, offsetof(gs_train_config, position_size), "64", 1, 4096, NULL,
     "With inputs=x+position: numbers that say where a node is in the graph."},
    {"position_walks", GS_OPT_INT, offsetof(gs_train_config, position_walks), "5", 1, 10000, NULL,
     "Random walks that begin at each node."},
    {"position_length", GS_OPT_INT, offsetof(gs_train_config, position_length), "50", 1, 100000,
     NULL, "Nodes of a random walk."},
    {"position_window", GS_OPT_INT, offsetof(gs_train_config, position_window), "5", 1, 1000, NULL,
     "Steps along a walk within which nodes tell of each other."},
    {"position_epochs", GS_OPT_INT, offsetof(gs_train_config, position_epochs), "1", 1, 10000, NULL,
     "Passes of skip-gram over the walks."},
    {"position_seed", GS_OPT_INT, offsetof(gs_train_config, position_seed), "-1", -1, 1e15, NULL,
     "Seed of walks and skip-gram; -1 is the run's own."},
    {"features", GS_OPT_CHOICE, offsetof(gs_train_config, features), "auto", 0, 0,
     "auto|sparse|dense",
     "How sparse features are held while training and answering; auto is dense where a fifth or "
     "more "
     "of them are not 0."},
    {"reorder", GS_OPT_CHOICE, offsetof(gs_train_config, reorder), "auto", 0, 0, GS_ORDER_CHOICES,
     "Order of the nodes in memory while training on a graph; auto is a rule by size."},
    {"methods", GS_OPT_VALUE, offsetof(gs_train_config, methods), NULL, 0, 0, NULL,
     "Losses and their options, as in {hard: {weight: 0.1}, soft: {temperature: 2}}."},
    {"generation", GS_OPT_INT, offsetof(gs_train_config, generation), "0", 0, 1e6, NULL,
     "Of a chain in which each student teaches the next: at one seed, each generation has a start "
     "and draws of its own."},
    {"keep", GS_OPT_STRING, offsetof(gs_train_config, keep), "logits,last", 0, 0, NULL,
     "Outputs to keep: logits, last (hidden layer), embeddings, attention, or all; by commas."},
    {0}};

const char *gs_selection_metric(const gs_value *recipe) {
    const char *select = gs_get_string(recipe, "select", "accuracy");
    if (strcmp(select, "micro_f1") == 0)
        return "val_micro_f1";
    return strcmp(select, "roc_auc") == 0 ? "val_roc_auc" : "val_accuracy";
}
