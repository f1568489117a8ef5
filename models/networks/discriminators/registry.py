"""The discriminators by name. A new one is a new line."""

from core.registry import Registry

DISCRIMINATORS = Registry("discriminator", {
    "unet": "models.networks.discriminators.unet:UNetDiscriminator",
    "multi-scale": "models.networks.discriminators.multi_scale:MultiScaleDiscriminator",
    "realness": "models.networks.discriminators.realness:RealnessDiscriminator",
})
