#include "runtime/snapshot.h"

#include <cstring>

#include "core/crc32c.h"
#include "core/error.h"
#include "runtime/session.h"

namespace yanrt {
namespace {

// Fixed-size head of a snapshot; the state follows. Little-endian, as the machines that run this.
struct Header {
  char magic[8] = {'Y', 'A', 'N', 'S', 'N', 'A', 'P', '1'};
  uint32_t checksum = 0;  // CRC32C of all that follows this field
  uint32_t origin = 0;    // CRC32C of package manifest, schedule, precision, kv and instruction set
  uint64_t state_bytes = 0;
  SessionCounters counters;
};
static_assert(sizeof(Header) == 48);
constexpr size_t kChecked = offsetof(Header, origin);

uint32_t origin_of(const Engine& engine, const std::string& schedule) {
  const BackendInfo info = engine.info();
  const std::string text = engine.package().manifest + '\n' + schedule + '\n' +
                           std::string(name_of(engine.precision())) + '\n' + std::string(name_of(engine.kv())) + '\n' +
                           info.device + '\n' + info.isa;
  return crc32c(std::as_bytes(std::span(text)));
}

}  // namespace

std::vector<std::byte> write_snapshot(const Runner& runner, const std::string& schedule,
                                      const SessionCounters& counters) {
  Header header;
  header.origin = origin_of(runner.engine(), schedule);
  header.state_bytes = runner.state_bytes();
  header.counters = counters;
  std::vector<std::byte> bytes(sizeof(Header) + runner.state_bytes());
  std::memcpy(bytes.data(), &header, sizeof(Header));
  runner.save(std::span(bytes).subspan(sizeof(Header)));
  header.checksum = crc32c(std::span(bytes).subspan(kChecked));
  std::memcpy(bytes.data(), &header, sizeof(Header));
  return bytes;
}

SessionCounters read_snapshot(std::span<const std::byte> snapshot, const std::string& schedule, Runner& runner) {
  const Engine& engine = runner.engine();
  Header header;
  const Header expected;
  if (snapshot.size() >= sizeof(Header)) std::memcpy(&header, snapshot.data(), sizeof(Header));
  if (snapshot.size() < sizeof(Header) || std::memcmp(header.magic, expected.magic, sizeof header.magic) != 0)
    throw Error(ErrorKind::argument, "not a yanrt snapshot (" + std::to_string(snapshot.size()) + " bytes)");
  if (header.checksum != crc32c(snapshot.subspan(kChecked)))
    throw Error(ErrorKind::argument, "the snapshot is damaged: its checksum does not match. Take a new one.");
  if (header.origin != origin_of(engine, schedule) || header.state_bytes != runner.state_bytes() ||
      snapshot.size() != sizeof(Header) + runner.state_bytes())
    throw Error(ErrorKind::argument,
                "the snapshot is of another package, schedule, precision, kv or instruction set; this session is '" +
                    engine.package().name + "', schedule '" + schedule + "', " +
                    std::string(name_of(engine.precision())) + ", kv " + std::string(name_of(engine.kv())) + ", " +
                    engine.info().isa);
  runner.load(snapshot.subspan(sizeof(Header)));
  return header.counters;
}

}  // namespace yanrt
