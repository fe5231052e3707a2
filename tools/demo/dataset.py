"""Draw the demo's data set: `python -m tools.demo.dataset FOLDER` writes its pictures and captions again."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tools.demo.captions import references
from tools.demo.scenes import PIXELS, SHAPES, draw, held_out, positions


def write_dataset(folder: Path) -> None:
    """The held-out scenes as PNG files, with captions and objects in COCO's format."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    objects: list[dict[str, object]] = []
    for number, scene in enumerate(held_out(), 1):
        name = f"{number:012d}.png"
        draw(scene).quantize(64).save(folder / "images" / name, optimize=True)
        images.append({"id": number, "file_name": name, "width": PIXELS, "height": PIXELS})
        for shape, (x, y, radius) in zip(scene.shapes, positions(scene), strict=True):
            box = [round(PIXELS * side, 1) for side in (x - radius, y - radius, 2 * radius, 2 * radius)]
            category = SHAPES.index(shape.name) + 1
            objects.append({"id": len(objects) + 1, "image_id": number, "category_id": category, "bbox": box})
        for text in references(scene, seed=f"references {number}"):
            caption = f"{text[0].upper()}{text[1:]}."
            annotations.append({"id": len(annotations) + 1, "image_id": number, "caption": caption})
    info = {
        "description": "Drawn scenes of coloured shapes, for trying out caption evaluation",
        "version": "1",
    }
    licenses = [{"id": 1, "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}]
    shared = {"info": info, "licenses": licenses, "images": images}
    categories = [{"id": number, "name": name} for number, name in enumerate(SHAPES, 1)]
    documents = {
        "captions": shared | {"annotations": annotations},
        "instances": shared | {"categories": categories, "annotations": objects},
    }
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tools.demo.dataset",
        description="Draw the demo's 200 scenes with captions.",
    )
    parser.add_argument("folder", type=Path, help="evaluator/demo/data for the package's own")
    write_dataset(parser.parse_args().folder)
