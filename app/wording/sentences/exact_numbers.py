"""What a number, or a block of numbers, cannot be in a format."""

SENTENCES = {
    "number.no-negative": (
        "{format} has no negative numbers and no NaN to stand for one. Choose a signed format, or a number from 0 up."
    ),
    "number.no-zero": "{format} has neither a zero nor NaN to stand for it. Choose another format or number.",
    "block.size": "A block of {format} holds 1 to {size} numbers, and here are {count}. Give one block at a time.",
    "block.tensor-scale": "The tensor scale of {format} is a positive number that {scale} holds. Give another one.",
    "block.no-tensor-scale": "{format} has no scale for the whole tensor. Leave it out.",
}
