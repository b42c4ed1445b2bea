// The one exception of the runtime. Its kind decides which Python class it becomes (bindings translate it once).
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace yanrt {

enum class ErrorKind {
  package,      // the file is truncated, corrupt, hostile or of another format
  unsupported,  // valid, but this build, device or precision cannot run it
  argument,     // a caller's value is wrong: shape, dtype, range, name
  state,        // a call at the wrong moment: closed session, no start
  memory,       // an allocation failed
  device,       // the device, or its driver, failed
};

// `what` names the offending value and the remedy.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace yanrt
