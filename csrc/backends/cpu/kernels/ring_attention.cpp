#include "backends/cpu/kernels/ring_window.h"

namespace yanrt::cpu {

RingShape::RingShape(const KernelSpec& spec)
    : batch(spec.inputs[0].shape[0]),
      window(spec.inputs[0].shape[1]),
      positions(spec.inputs[0].shape[2]),
      heads(spec.inputs[0].shape[3]),
      d(spec.inputs[0].shape[4]),
      slots(spec.inputs[3].shape[1]),
      commit(spec.op.attrs.integer("commit")),
      history(spec.op.attrs.integer("history")),
      scale(static_cast<float>(spec.op.attrs.real("scale"))),
      ring_type(spec.inputs[3].dtype),
      q(spec.inputs[0]),
      k(spec.inputs[1]),
      v(spec.inputs[2]),
      y(spec.outputs[0]),
      has_bias(spec.inputs.size() > 7 && spec.present[7]) {
  if (has_bias) bias_stride = spec.inputs[7].shape[1];
}

std::unique_ptr<Kernel> make_ring_attention(const KernelSpec& spec) {
  const RingShape shape(spec);
  return spec.op.attrs.choice("scope") == "frame" ? make_ring_attention_by_frame(spec, shape)
                                                  : make_ring_attention_by_position(spec, shape);
}

}  // namespace yanrt::cpu
