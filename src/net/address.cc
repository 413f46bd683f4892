#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "beckon/net/net.h"

namespace beckon::net {
namespace {

struct V4Range {
  std::uint32_t network;
  int bits;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return (a << 24U) | (b << 16U) | (c << 8U) | d;
}

// IANA special-purpose registry (RFC 6890 and later), multicast and class E.
constexpr std::array<V4Range, 15> kForbidden4{{
    {v4(0, 0, 0, 0), 8}, {v4(10, 0, 0, 0), 8}, {v4(100, 64, 0, 0), 10}, {v4(127, 0, 0, 0), 8}, {v4(169, 254, 0, 0), 16},
    {v4(172, 16, 0, 0), 12}, {v4(192, 0, 0, 0), 24}, {v4(192, 0, 2, 0), 24}, {v4(192, 88, 99, 0), 24}, {v4(192, 168, 0, 0), 16},
    {v4(198, 18, 0, 0), 15}, {v4(198, 51, 100, 0), 24}, {v4(203, 0, 113, 0), 24}, {v4(224, 0, 0, 0), 4}, {v4(240, 0, 0, 0), 4},
}};

bool is_public_v4(std::uint32_t address) {
  for (const auto& range : kForbidden4) {
    if ((address >> (32U - static_cast<unsigned>(range.bits))) == (range.network >> (32U - static_cast<unsigned>(range.bits)))) {
      return false;
    }
  }
  return true;
}

using V6 = std::array<std::uint8_t, 16>;

bool starts_with(const V6& address, const V6& prefix, int bits) {
  for (int bit = 0; bit < bits; ++bit) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const unsigned mask = 0x80U >> static_cast<unsigned>(bit % 8);
    if ((address[at] & mask) != (prefix[at] & mask)) {
      return false;
    }
  }
  return true;
}

struct V6Range {
  V6 prefix;
  int bits;
};
// Inside 2000::/3: IETF protocols with Teredo, documentation (both), 6to4 (an IPv4 address in disguise).
constexpr std::array<V6Range, 4> kForbidden6{{
    {{0x20, 0x01}, 23}, {{0x20, 0x01, 0x0d, 0xb8}, 32}, {{0x20, 0x02}, 16}, {{0x3f, 0xff}, 20},
}};

bool is_public_v6(const V6& address) {
  constexpr V6 kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // ::ffff:a.b.c.d
  constexpr V6 kNat64{0, 0x64, 0xff, 0x9b};                        // 64:ff9b::a.b.c.d
  if (starts_with(address, kMapped, 96) || starts_with(address, kNat64, 96)) {
    return is_public_v4(v4(address[12], address[13], address[14], address[15]));
  }
  if (!starts_with(address, V6{0x20}, 3)) {
    return false;  // everything but global unicast
  }
  for (const auto& range : kForbidden6) {
    if (starts_with(address, range.prefix, range.bits)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool is_public_address(std::string_view ip) {
  const std::string text(ip.substr(0, ip.find('%')));  // a zone index makes it link-local, which is refused anyway
  in_addr four{};
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1) {
    return is_public_v4(ntohl(four.s_addr));
  }
  in6_addr six{};
  if (::inet_pton(AF_INET6, text.c_str(), &six) == 1) {
    V6 bytes{};
    std::memcpy(bytes.data(), &six, bytes.size());
    return is_public_v6(bytes);
  }
  return false;
}

}  // namespace beckon::net
