#include "backends/cpu/places.h"

#include <array>

#include "backends/cpu/processors.h"

namespace yanrt::cpu {
namespace {

constexpr std::chrono::milliseconds kBetweenMoves{1};  // of a worker; one takes up to some .15 ms

}  // namespace

Places::Places(int workers, int (*runnable)() noexcept)
    : workers_(workers), runnable_(runnable), places_(new Place[static_cast<size_t>(workers)]) {}

void Places::note(int worker) noexcept {
  places_[static_cast<size_t>(worker)].processor.store(this_processor(), std::memory_order_relaxed);
}

void Places::leave(int worker) noexcept {
  places_[static_cast<size_t>(worker)].processor.store(-1, std::memory_order_relaxed);
}

bool Places::crowded(int worker) noexcept {
  note(worker);
  const int here = places_[static_cast<size_t>(worker)].processor.load(std::memory_order_relaxed);
  if (here < 0) return false;
  bool crowded = false;
  for (int other = 0; other < workers_; ++other) {
    const int there = places_[static_cast<size_t>(other)].processor.load(std::memory_order_relaxed);
    if (other == worker || (there >= 0 && there != here)) continue;
    if (there == here && other < worker) return !move(worker);
    crowded = true;
  }
  return crowded;
}

bool Places::move(int worker) noexcept {
  Place& place = places_[static_cast<size_t>(worker)];
  const auto now = std::chrono::steady_clock::now();
  if (now < place.next_move) return false;
  std::array<int, kMaxWorkers> taken;
  int count = 0;
  for (int other = 0; other < workers_; ++other)
    if (other != worker) taken[count++] = places_[static_cast<size_t>(other)].processor.load(std::memory_order_relaxed);
  place.next_move = now + kBetweenMoves;
  const bool moved = move_to_idle({taken.data(), static_cast<size_t>(count)}, runnable_()) >= 0;
  note(worker);
  return moved;
}

}  // namespace yanrt::cpu
