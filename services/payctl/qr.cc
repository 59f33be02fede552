#include "services/payctl/qr.h"

#include <qrencode.h>

#include <memory>

namespace paymesh::payctl {
namespace {

constexpr int kQuietZone = 4;

bool IsLight(const QRcode& code, int x, int y) {
  if (x < 0 || y < 0 || x >= code.width || y >= code.width) return true;
  return (code.data[y * code.width + x] & 1) == 0;
}

const char* HalfBlocks(bool upper_light, bool lower_light) {
  if (upper_light) return lower_light ? "█" : "▀";
  return lower_light ? "▄" : " ";
}

}  // namespace

Result<std::string> RenderQr(std::string_view text, QrColour colour) {
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
      QRcode_encodeString8bit(std::string(text).c_str(), 0, QR_ECLEVEL_M), &QRcode_free);
  if (code == nullptr) {
    return Error::FailedPrecondition("QR_TOO_LONG", "this does not fit into a QR code");
  }
  std::string picture;
  for (int y = -kQuietZone; y < code->width + kQuietZone; y += 2) {
    if (colour == QrColour::kAnsi) picture += "\x1b[97;40m";
    for (int x = -kQuietZone; x < code->width + kQuietZone; ++x) {
      picture += HalfBlocks(IsLight(*code, x, y), IsLight(*code, x, y + 1));
    }
    if (colour == QrColour::kAnsi) picture += "\x1b[0m";
    picture += "\n";
  }
  return picture;
}

}  // namespace paymesh::payctl
