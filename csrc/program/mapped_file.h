// The bytes of a package: a read-only mapping of a file, or a copy of bytes given in memory.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace yanrt {

class MappedFile {
 public:
  // Maps a regular file. Throws Error(ErrorKind::package) with the system's reason.
  static std::shared_ptr<const MappedFile> open(const std::string& path);
  // Copies `bytes` to memory aligned as a mapping is for every dtype.
  static std::shared_ptr<const MappedFile> copy(std::span<const std::byte> bytes);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // Valid, and constant, as long as this object lives.
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  MappedFile(std::span<const std::byte> bytes, bool is_mapping) : bytes_(bytes), is_mapping_(is_mapping) {}

  std::span<const std::byte> bytes_;
  bool is_mapping_;
};

}  // namespace yanrt
