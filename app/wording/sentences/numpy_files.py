"""NumPy's .npy and .npz files."""

SENTENCES: dict[str, str] = {
    "npy.dtype": (
        "The array “{tensor}” has the dtype “{dtype}”, which is not read. Convert it to integers, or floats of at most "
        "64 bits."
    ),
    "npy.header": (
        "The header of the array “{tensor}” is not what NumPy writes, at position {position}. The file is damaged."
    ),
    "npy.header-too-long": (
        "The header of the array “{tensor}” claims {length} bytes; at most {limit} are accepted. No array of numbers "
        "needs more."
    ),
    "npy.object": (
        "The array “{tensor}” holds Python objects, which only running code could rebuild. Save it with a dtype of "
        "numbers."
    ),
    "npy.structured": (
        "The array “{tensor}” has several fields in each element. Save each field as an array of its own."
    ),
    "npy.too-short": "The array “{tensor}” ends within its header, after {bytes} bytes. The file is incomplete.",
    "npy.trailing": (
        "There are {bytes} bytes behind the array “{tensor}” that belong to none. Save each array in a file of its "
        "own, or use .npz."
    ),
    "npy.truncated": "The array “{tensor}” is incomplete: {missing} bytes are missing at its end. Get the file again.",
    "npy.version": "The array “{tensor}” has version {version} of the format, which does not exist.",
    "npy.void": (
        "The array “{tensor}” has the dtype “{dtype}”: bytes whose number format the file does not tell, as with "
        "bfloat16 and 8-bit floats of ml_dtypes. Save it as float32, or use safetensors."
    ),
    "npz.member": "“{member}” in the .npz file is no array. Save arrays only, with numpy.savez.",
}
