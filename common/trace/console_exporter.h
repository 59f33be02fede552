// Spans as lines of the log, for a look without a collector. As Exporter says.
#pragma once

#include <memory>

#include "common/trace/batch_processor.h"

namespace paymesh::runtime {
class Logger;
}

namespace paymesh::trace {

// `log` outlives the exporter.
std::unique_ptr<Exporter> MakeConsoleExporter(runtime::Logger& log);

}  // namespace paymesh::trace
