"""A picture to send from the dock."""

import io

from PIL import Image


def box_photo() -> bytes:
    """A cardboard box, roughly."""
    picture = Image.new("RGB", (320, 320), "#c8b89a")
    picture.paste("#c58c4e", (70, 90, 250, 250))
    picture.paste("#8a5d2c", (70, 220, 250, 250))
    out = io.BytesIO()
    picture.save(out, "JPEG")
    return out.getvalue()
