// The only user of OpenSSL in this library.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <cstring>
#include <memory>

#include "beckon/base/codec.h"
#include "beckon/privacy/privacy.h"

namespace beckon::privacy {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr char kFormat = 1;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string derive(std::string_view root, std::string_view label) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), &EVP_PKEY_CTX_free);
  std::string out(kKeyBytes, '\0');
  std::size_t size = out.size();
  BECKON_CHECK(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
               EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) == 1 &&
               EVP_PKEY_CTX_set1_hkdf_key(context.get(), bytes_of(root), static_cast<int>(root.size())) == 1 &&
               EVP_PKEY_CTX_add1_hkdf_info(context.get(), bytes_of(label), static_cast<int>(label.size())) == 1 &&
               EVP_PKEY_derive(context.get(), bytes_of(out), &size) == 1);
  return out;
}

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
CipherContext new_cipher() { return {EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free}; }

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::string out(32, '\0');
  unsigned int size = 32;
  const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(message),
                          message.size(), bytes_of(out), &size);
  BECKON_CHECK(made != nullptr && size == 32);
  return out;
}

std::string sha256(std::string_view message) {
  std::string out(32, '\0');
  unsigned int size = 32;
  BECKON_CHECK(EVP_Digest(message.data(), message.size(), bytes_of(out), &size, EVP_sha256(), nullptr) == 1 && size == 32);
  return out;
}

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  BECKON_CHECK(RAND_bytes(bytes_of(out), static_cast<int>(count)) == 1);
  return out;
}

std::string encrypt(std::string_view plain, std::string_view key, std::string_view context) {
  BECKON_CHECK(key.size() == kKeyBytes);
  const std::string nonce = random_bytes(kNonceBytes);
  std::string cipher_text(plain.size(), '\0');
  std::string tag(kTagBytes, '\0');
  const auto cipher = new_cipher();
  int size = 0;
  BECKON_CHECK(
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes_of(context), static_cast<int>(context.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), bytes_of(cipher_text), &size, bytes_of(plain),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), bytes_of(cipher_text) + cipher_text.size(), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTagBytes), tag.data()) == 1);
  return std::string(1, kFormat) + nonce + tag + cipher_text;
}

base::Result<std::string> decrypt(std::string_view sealed, std::string_view key, std::string_view context) {
  BECKON_CHECK(key.size() == kKeyBytes);
  if (sealed.size() < 1 + kNonceBytes + kTagBytes || sealed[0] != kFormat) {
    return base::data_loss("an encrypted field has an unknown form: restore it from a backup");
  }
  const auto nonce = sealed.substr(1, kNonceBytes);
  std::string tag(sealed.substr(1 + kNonceBytes, kTagBytes));
  const auto body = sealed.substr(1 + kNonceBytes + kTagBytes);
  std::string plain(body.size(), '\0');
  const auto cipher = new_cipher();
  int size = 0;
  const bool opened =
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes_of(context), static_cast<int>(context.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes_of(plain), &size, bytes_of(body), static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTagBytes), tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes_of(plain) + plain.size(), &size) == 1;
  if (!opened) {
    return base::data_loss("an encrypted field does not open with its key: it was changed or the key is another shop's");
  }
  return plain;
}

base::Result<KeyRing> KeyRing::make(std::string_view root_key, std::uint8_t version) {
  if (root_key.size() != kKeyBytes) {
    return base::invalid_argument("the root key must have 32 bytes: make one with beckon init, or give a file of 64 hex digits");
  }
  if (version == 0) {
    return base::invalid_argument("the key version must lie between 1 and 255");
  }
  KeyRing ring;
  ring.version_ = version;
  ring.pseudonym_key_ = derive(root_key, "beckon pseudonym");
  ring.hash_key_ = derive(root_key, "beckon keyed hash");
  ring.wrap_key_ = derive(root_key, "beckon wrap data key");
  return ring;
}

std::string KeyRing::new_root_key() { return random_bytes(kKeyBytes); }

Pseudonym KeyRing::pseudonym(std::string_view user_id) const {
  const std::string digest = hmac_sha256(pseudonym_key_, user_id);
  Pseudonym out;
  out.version_ = version_;
  std::memcpy(out.digest_.data(), digest.data(), out.digest_.size());
  return out;
}

std::string KeyRing::keyed_hash(std::string_view bytes) const {
  return base::to_hex(hmac_sha256(hash_key_, bytes).substr(0, 8));
}

std::string KeyRing::seal_of(std::string_view text) const {
  return base::to_hex(hmac_sha256(hash_key_, std::string("file seal\n").append(text)));
}

std::string KeyRing::wrap(std::string_view data_key, const Pseudonym& owner) const {
  return encrypt(data_key, wrap_key_, "data key|" + owner.bytes());
}

base::Result<std::string> KeyRing::unwrap(std::string_view wrapped, const Pseudonym& owner) const {
  return decrypt(wrapped, wrap_key_, "data key|" + owner.bytes());
}

}  // namespace beckon::privacy
