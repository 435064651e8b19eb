"""Small tokenizers, trained on a page of text in a second, of every kind that goes into GGUF."""

import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

VOCABULARY = 512
UNKNOWN = "<unk>"
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CASED_TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SPLITS = {
    "llama-bpe": rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}{TAIL}",
    "dbrx": rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}{TAIL}",
    "qwen2": rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{TAIL}",
    "qwen35": rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "tekken": rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*|\p{{N}}{CASED_TAIL}",
    "gpt-4o": rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTIONS}?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*"
    rf"{CONTRACTIONS}?|\p{{N}}{{1,3}}{CASED_TAIL}",
}
"""As the models' own tokenizer.json have them."""
KINDS = (*SPLITS, "gpt-2", "smollm")

TEXTS = (
    "Storing weights in fewer bits saves memory; it's what we're after, isn't it?",
    "量化把权重存成更少的位，例如 8 位整数。模型因此变小 3.14 倍！",
    "😀 emoji 🦙🚀 and a flag 🇨🇭, family 👩‍👩‍👧, naïve café Ünïcode",
    "def f(x: int) -> str:\n\treturn f'{x**2:>10}'  # tab, spaces\n\n\nprint(f(42))",
    "3 33 333 3333 33333, 3.3 3..3; I'VE 'told HE'S there, We'Ve a'lL",
    "нещо на Български, ελληνικά, 日本語のテキスト、한국어 문장.",
    "  leading and trailing  \n \n\n  ",
    "<|end|>",
)
CORPUS = [
    *TEXTS,
    "The quick brown fox jumps over the lazy dog. The model's weights are numbers; numbers are bits.",
    "A bit is a choice between two states. Two bits are four states. Weights in four bits are smaller.",
    "def main():\n    for index in range(10):\n        print(index, index * index)\n",
    "模型的权重是数，数由位组成。量化后的权重占用的内存更少。",
] * 4


def byte_level(kind: str) -> Tokenizer:
    """Byte-level BPE that cuts text as `kind` says, llama.cpp's name for it."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind in {"llama-bpe", "tekken"}))
    if kind in SPLITS:
        split = pre_tokenizers.Split(Regex(SPLITS[kind]), "isolated")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        )
    elif kind == "smollm":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - 4,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|begin|>", "<|end|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("<|tool|>", special=True)])
    _begin_with(tokenizer, "<|begin|>")
    return tokenizer


def sentence_piece(*, prepend: str = "normalizer") -> Tokenizer:
    """BPE with bytes to fall back on: as older files of Llama 2 have it, as newer ones, or as Gemma."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token=UNKNOWN, fuse_unk=True))
    if prepend == "normalizer":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=prepend, split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - 1,
        special_tokens=[UNKNOWN, "<s>", "</s>", *bytes_],
        limit_alphabet=60,
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    # Bytes are ordinary tokens of the vocabulary there, not added ones.
    document = json.loads(tokenizer.to_str())
    document["added_tokens"] = document["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(document))
    _begin_with(tokenizer, "<s>")
    return tokenizer


def _begin_with(tokenizer: Tokenizer, token: str) -> None:
    number = tokenizer.token_to_id(token)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{token} $A", pair=f"{token} $A {token} $B", special_tokens=[(token, number)]
    )
