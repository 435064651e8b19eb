"""PyTorch checkpoints, and the pickles inside."""

SENTENCES: dict[str, str] = {
    "pickle.damaged": (
        "The pickle in the file is damaged, or was made by hand: it makes no sense at byte {position}. Save the "
        "checkpoint again with torch.save."
    ),
    "pickle.key": (
        "A dictionary in the file has a key that is neither text nor a plain number (before byte {position}). Save a "
        "state dict, whose keys are names."
    ),
    "pickle.opcode": (
        "The pickle in the file uses the instruction {opcode} at byte {position}, which no checkpoint of plain tensors "
        "needs. Save the state dict alone."
    ),
    "pickle.text": "The pickle in the file holds text that is not UTF-8 at byte {position}. The file is damaged.",
    "pickle.too-costly": (
        "The pickle in the file is too large to be looked through; reading stopped at byte {position}. Save the state "
        "dict alone, or use safetensors."
    ),
    "pickle.too-deep": "The pickle in the file is nested more than {limit} deep. No checkpoint needs that.",
    "pytorch.byte-order": "The checkpoint tells a byte order that does not exist, “{order}”. The file is damaged.",
    "pytorch.call": "The checkpoint uses {name} in a way that PyTorch never does. The file is damaged or forged.",
    "pytorch.deflated": (
        "“{member}” in the checkpoint is compressed, so it cannot be read by ranges. Save it again with torch.save, "
        "which stores it plainly."
    ),
    "pytorch.device-tensor": (
        "The checkpoint holds a tensor of a device without storage of its own (such as an XLA device). Move the model "
        "to the CPU and save it again."
    ),
    "pytorch.dtype": "The checkpoint holds numbers of {dtype}, which are not read. Convert them and save it again.",
    "pytorch.lazy-tensor": (
        "The checkpoint holds a tensor that is yet to be negated or conjugated. Call resolve_neg() and resolve_conj() "
        "on it, and save it again."
    ),
    "pytorch.legacy": (
        "This checkpoint was saved in the format from before PyTorch 1.6, which cannot be opened without running its "
        "pickle. Load it with torch.load(…, weights_only=True) where you trust it, and save it again with torch.save."
    ),
    "pytorch.member": (
        "“{member}” is missing in the checkpoint’s archive, or has no place there. Save it again with torch.save."
    ),
    "pytorch.meta-tensor": (
        "The checkpoint holds a tensor on the device “meta”, which has no numbers. Save it after the weights were "
        "loaded."
    ),
    "pytorch.name-twice": (
        "Two tensors of the checkpoint would have the name “{tensor}” once its dictionaries are joined. Rename one."
    ),
    "pytorch.nested-tensor": "The checkpoint holds a nested tensor, which is not read. Save its parts as tensors.",
    "pytorch.no-tensors": "The checkpoint holds no tensors. Save a state dict: torch.save(model.state_dict(), …).",
    "pytorch.quantized-tensor": (
        "The checkpoint holds a quantized tensor of PyTorch (qint8, quint8 …), which is not read. Dequantize it and "
        "save it again."
    ),
    "pytorch.script": (
        "This is a TorchScript or exported program, which holds code as well as weights. Load it where you trust it, "
        "and save its state dict with torch.save(model.state_dict(), …)."
    ),
    "pytorch.sparse-tensor": (
        "The checkpoint holds a sparse tensor, which is not read. Call to_dense() on it and save it again."
    ),
    "pytorch.storage": "The checkpoint describes a storage in a way that PyTorch does not write. The file is damaged.",
    "pytorch.storage-missing": (
        "The numbers of tensor “{tensor}” are not in the file: there is no storage “{key}”. Download the file again."
    ),
    "pytorch.storage-size": (
        "The storage of tensor “{tensor}” needs {needed} bytes by what the checkpoint says, but has {given}. The file "
        "is damaged or forged."
    ),
    "pytorch.tensor-subclass": (
        "The checkpoint holds a tensor of a class of its own, such as those of torchao. Save plain tensors, or use "
        "the model’s safetensors file."
    ),
    "pytorch.too-deep": (
        "The checkpoint is nested more than {limit} deep, or holds itself. Save the state dict alone."
    ),
    "pytorch.too-many-values": "The checkpoint holds more than {limit} values or tensors. Save the state dict alone.",
    "pytorch.unsafe-global": (
        "Opening this file would run “{name}”, which weights do not need and which could be malicious. It was refused, "
        "and nothing was run. If you trust the file, save its state dict alone, or use safetensors."
    ),
    "pytorch.version": "The checkpoint’s format version “{version}” does not exist. The file is damaged.",
    "tensor.past-storage": (
        "Tensor “{tensor}” reaches to element {needed}, but its storage has {given}. The file is damaged or forged."
    ),
    "tensor.sharing": (
        "Tensors of the file share bytes so often that they would become {bytes} bytes; at most {limit} are accepted "
        "for a file of its size."
    ),
    "tensor.strides": "Tensor “{tensor}” has strides that do not fit its shape. The file is damaged or forged.",
}
