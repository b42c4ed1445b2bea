"""The packaged worlds, one .safetensors file each; `yanrt.packaged_models()` lists them."""
