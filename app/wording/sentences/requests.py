"""Requests: addresses, owners, form fields, settings."""

SENTENCES = {
    "settings.invalid": "{variable} is set to “{value}”, which cannot be used. Correct it or unset it.",
    "request.no-such-address": "There is nothing at this address. Check it, or start from the first page.",
    "request.method": "This address does not take requests of this kind.",
    "request.invalid": "The request cannot be read. Check its parameters and try again.",
    "request.fault": "The program made a mistake and has noted it. Nothing of yours was changed; try again.",
    "request.cross-site": "This request came from another site and was refused. Open the page here and try again.",
    "request.body-too-large": "The request carries more than {limit} bytes, the most that this address takes.",
    "request.address-too-long": "The address is longer than {limit} bytes. Shorten the number or use fewer parameters.",
    "request.too-many-parameters": "The address names {limit} parameters or more. Use fewer.",
}
