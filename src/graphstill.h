/* graphstill.h - the whole library, in three tiers. Read the first, stop there until you need more.
 */
#ifndef GRAPHSTILL_H
#define GRAPHSTILL_H

/* Everyday: read a graph, train, distill, evaluate, keep. */
#include "base/status.h"
#include "base/value.h"
#include "distill/adopt.h"
#include "distill/evaluate.h"
#include "distill/predictor.h"
#include "distill/recipe.h"
#include "distill/train.h"
#include "graph/dataset.h"
#include "graph/generate.h"
#include "store/graph_file.h"
#include "store/importer.h"
#include "store/model_file.h"
#include "store/run_folder.h"
#include "store/weights.h"
#include "store/yaml.h"

/* Building blocks: matrices, sparse operators, gradients, models. */
#include "base/alloc.h"
#include "base/log.h"
#include "base/matrix.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "base/rows.h"
#include "distill/multi_label.h"
#include "distill/split.h"
#include "distill/statistics.h"
#include "distill/teacher.h"
#include "grad/check.h"
#include "grad/ops.h"
#include "grad/optim.h"
#include "grad/state.h"
#include "grad/tape.h"
#include "graph/blocks.h"
#include "graph/build.h"
#include "graph/csr.h"
#include "graph/gather.h"
#include "graph/kernels.h"
#include "graph/row_product.h"
#include "graph/solve.h"
#include "nn/model.h"

/* Extending: descriptors of plug-ins. */
#include "base/option.h"
#include "distill/baseline.h"
#include "distill/hidden.h"
#include "distill/method.h"
#include "nn/layer.h"
#include "store/importer.h"
#include "store/source.h"

#endif
