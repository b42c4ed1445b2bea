#include "testing/cuda_sim/shadow.h"

#include <sys/mman.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "testing/cuda_sim/memory.h"

namespace yanrt::cuda_sim {
namespace {

constexpr uint32_t kSplit = 0xffffffff;  // in write.block: the four cells are split_pool[write.pc]
constexpr size_t kPage = 4096;
constexpr size_t kCellsOfPage = kPage / kGranule;

using Split = std::array<Cell, kGranule>;
std::vector<std::unique_ptr<Split>> split_pool;
std::vector<uint32_t> free_splits;

template <class T>
T* reserve_array(size_t count) {
  void* memory =
      mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<T*>(memory);
}

// Pages of device shadow are made when first touched; zero bytes are "never accessed".
Cell** device_pages() {
  static Cell** pages = reserve_array<Cell*>(kDeviceRegion / kPage);
  return pages;
}
Cell* shared_cells() {
  static Cell* cells = reserve_array<Cell>(kSharedRegion / kGranule);
  return cells;
}

Cell* granule_at(bool shared, size_t offset) {
  if (shared) return shared_cells() + offset / kGranule;
  Cell*& page = device_pages()[offset / kPage];
  if (!page) page = static_cast<Cell*>(std::calloc(kCellsOfPage, sizeof(Cell)));
  return page + offset % kPage / kGranule;
}

uint32_t make_split(const Cell& cell) {
  if (free_splits.empty()) {
    free_splits.push_back(static_cast<uint32_t>(split_pool.size()));
    split_pool.push_back(std::make_unique<Split>());
  }
  const uint32_t index = free_splits.back();
  free_splits.pop_back();
  split_pool[index]->fill(cell);
  return index;
}

void release_split(Cell& cell) {
  if (cell.write.block == kSplit) free_splits.push_back(static_cast<uint32_t>(cell.write.pc));
}

}  // namespace

CellSpan cells_of(bool shared, size_t offset, bool whole) {
  Cell* cell = granule_at(shared, offset);
  if (cell->write.block != kSplit) {
    if (whole) return {cell, 1};
    const uint32_t index = make_split(*cell);
    cell->write = {};
    cell->write.block = kSplit;
    cell->write.pc = index;
  }
  return {split_pool[cell->write.pc]->data(), kGranule};
}

void join_cells(bool shared, size_t offset, const Cell& joined) {
  Cell* cell = granule_at(shared, offset);
  release_split(*cell);
  *cell = joined;
}

void forget_device_shadow(size_t offset, size_t bytes) {
  for (size_t page = offset / kPage; page < (offset + bytes) / kPage; ++page) {
    Cell*& cells = device_pages()[page];
    if (!cells) continue;
    for (size_t i = 0; i < kCellsOfPage; ++i) release_split(cells[i]);
    std::free(cells);
    cells = nullptr;
  }
}

}  // namespace yanrt::cuda_sim
