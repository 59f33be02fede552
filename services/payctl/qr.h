// A QR code in a terminal, two modules a character. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "common/error/error.h"

namespace paymesh::payctl {

enum class QrColour {
  kPlain,  // light modules are drawn: right on a dark terminal
  kAnsi,   // colours are set as well: right on any terminal
};

// Error correction M and the quiet zone of four modules that the standard asks for.
// FAILED_PRECONDITION QR_TOO_LONG when the text does not fit.
Result<std::string> RenderQr(std::string_view text, QrColour colour);

}  // namespace paymesh::payctl
