#include "program/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "core/error.h"

namespace yanrt {
namespace {

constexpr std::align_val_t kCopyAlignment{64};

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw Error(ErrorKind::package, "cannot read '" + path + "': " + why);
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) fail(path, std::strerror(errno));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) fail(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) fail(path, "it is no regular file");
  if (status.st_size == 0) fail(path, "it is empty; download or export the package again");
  const auto size = static_cast<size_t>(status.st_size);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) fail(path, std::strerror(errno));
  return std::shared_ptr<const MappedFile>(new MappedFile({static_cast<const std::byte*>(data), size}, true));
}

std::shared_ptr<const MappedFile> MappedFile::copy(std::span<const std::byte> bytes) {
  auto* data = static_cast<std::byte*>(::operator new(bytes.size() + 1, kCopyAlignment, std::nothrow));
  if (!data) throw Error(ErrorKind::memory, "no memory for a package of " + std::to_string(bytes.size()) + " bytes");
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  return std::shared_ptr<const MappedFile>(new MappedFile({data, bytes.size()}, false));
}

MappedFile::~MappedFile() {
  auto* data = const_cast<std::byte*>(bytes_.data());
  if (is_mapping_)
    ::munmap(data, bytes_.size());
  else
    ::operator delete(data, kCopyAlignment);
}

}  // namespace yanrt
