"""What the stand-in of Rekognition sees: two embedded models and plain arithmetic over pixels.

Belongs here: the models, loaded at the first picture, and their answers in Rekognition's words. Does not belong
here: the wire (rekognition.py). What they cannot know is not said: there are faces, people, nudity and text, and
no other label. Both packages carry their weights; nothing is fetched.
"""

import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from prism_core.failures import PermanentFailure

MIN_SIDE: Final = 80
_WHERE: Final = "`make up` installs them; by hand it is `.tools/bin/uv sync --group vision`"
# The detector is shown no more than this a side: twice as much takes three times as long and finds the same lines.
_TEXT_SIDE: Final = 736
_REMEMBERED: Final = 16
_EXPLICIT: Final = ("Explicit", "Explicit Nudity")
_NOT_EXPLICIT: Final = ("Non-Explicit Nudity of Intimate parts and Kissing", "Non-Explicit Nudity")
# What a detection is in the taxonomy, from the top of its branch. Parts that are covered are nothing to moderate.
_BRANCHES: Final[Mapping[str, tuple[str, ...]]] = {
    "FEMALE_GENITALIA_EXPOSED": (*_EXPLICIT, "Exposed Female Genitalia"),
    "MALE_GENITALIA_EXPOSED": (*_EXPLICIT, "Exposed Male Genitalia"),
    "BUTTOCKS_EXPOSED": (*_EXPLICIT, "Exposed Buttocks or Anus"),
    "ANUS_EXPOSED": (*_EXPLICIT, "Exposed Buttocks or Anus"),
    "FEMALE_BREAST_EXPOSED": (*_EXPLICIT, "Exposed Female Nipple"),
    "MALE_BREAST_EXPOSED": (*_NOT_EXPLICIT, "Exposed Male Nipple"),
}
_FACES: Final = frozenset({"FACE_FEMALE", "FACE_MALE"})
# The edges of a sharp photograph vary so much; a blurred one has a hundredth of it.
_SHARP: Final = 2_500.0
_COLOURS: Final = 8
# With 256 a side the eight colours are mostly within 5 of 255 of these, and take 35 ms instead of 2.
_SAMPLE: Final = (64, 64)


class ModelsMissing(PermanentFailure):
    """The optional packages are not installed."""


class Vision:
    """One set of models, which one picture at a time uses, on one core.

    With a thread a core, ONNX Runtime keeps the cores spinning between its steps: a picture took 320 ms of CPU
    instead of 170 and came no sooner, and the functions beside it waited for their turn.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: OrderedDict[bytes, list[dict[str, Any]]] = OrderedDict()

    def labels(self, image: Any, data: bytes) -> dict[str, Any]:
        """`DetectLabels`: faces with their boxes, and the properties of `image`, which Pillow opened as RGB."""
        faces = [one for one in self._detections(data) if one["class"] in _FACES]
        return {
            "Labels": list(_labels(faces, image.size)),
            "LabelModelVersion": _version("nudenet", "pillow"),
            "ImageProperties": _properties(image),
        }

    def moderation(self, data: bytes) -> dict[str, Any]:
        """`DetectModerationLabels`: every level of each branch."""
        found: dict[str, dict[str, Any]] = {}
        for one in self._detections(data):
            branch = _BRANCHES.get(one["class"], ())
            for level, name in enumerate(branch, start=1):
                sure = max(100 * one["score"], found.get(name, {}).get("Confidence", 0.0))
                found[name] = {
                    "Name": name,
                    "ParentName": branch[level - 2] if level > 1 else "",
                    "Confidence": sure,
                    "TaxonomyLevel": level,
                }
        labels = sorted(found.values(), key=lambda label: (-label["Confidence"], label["TaxonomyLevel"]))
        return {"ModerationLabels": labels, "ModerationModelVersion": _version("nudenet")}

    def text(self, image: Any) -> dict[str, Any]:
        """`DetectText`: lines. Where words are within a line is not known, and not said."""
        with self._lock:
            read = self._reader(_pixels(image))
        boxes = [] if read.boxes is None else read.boxes
        lines = zip(boxes, read.txts or (), read.scores or (), strict=True)
        return {
            "TextDetections": [
                {
                    "DetectedText": text,
                    "Type": "LINE",
                    "Id": number,
                    "Confidence": 100 * float(score),
                    "Geometry": _geometry(box, image.size),
                }
                for number, (box, text, score) in enumerate(lines)
            ],
            "TextModelVersion": _version("rapidocr"),
        }

    def _detections(self, data: bytes) -> list[dict[str, Any]]:
        """Two questions about one picture are one look."""
        name = hashlib.sha256(data).digest()
        with self._lock:
            if name not in self._seen:
                self._seen[name] = self._detector.detect(data)
                while len(self._seen) > _REMEMBERED:
                    self._seen.popitem(last=False)
            return self._seen[name]

    @cached_property
    def _detector(self) -> Any:
        try:
            import nudenet
            import onnxruntime
        except ImportError as error:
            raise ModelsMissing(f"the models that look at images are not installed; {_WHERE}") from error
        detector: Any = nudenet.NudeDetector()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # It takes no options; its model lies beside its code.
        model = Path(nudenet.__file__).parent / "320n.onnx"
        detector.onnx_session = onnxruntime.InferenceSession(str(model), options)
        return detector

    @cached_property
    def _reader(self) -> Any:
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise ModelsMissing(f"the models that read text in images are not installed; {_WHERE}") from error
        return RapidOCR(
            params={
                "Det.limit_type": "max",
                "Det.limit_side_len": _TEXT_SIDE,
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "Global.use_cls": False,  # pictures arrive upright
                "Global.log_level": "critical",
            }
        )


def opened(data: bytes) -> Any:
    """A Pillow image in RGB. Raises ModelsMissing, and ValueError for what is neither JPEG nor PNG."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ModelsMissing(f"the library that opens images is not installed; {_WHERE}") from error
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError) as error:
        raise ValueError("neither JPEG nor PNG, or damaged") from error


def _version(*packages: str) -> str:
    return "stand-in " + " ".join(f"{package}-{metadata.version(package)}" for package in packages)


def _pixels(image: Any) -> Any:
    import numpy as np

    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])  # blue first


def _labels(faces: Sequence[Mapping[str, Any]], size: tuple[int, int]) -> Iterable[dict[str, Any]]:
    if not faces:
        return
    surest = max(100 * one["score"] for one in faces)
    boxes = [{"BoundingBox": _box(one["box"], size), "Confidence": 100 * one["score"]} for one in faces]
    category = [{"Name": "Person Description"}]
    parents = [{"Name": "Head"}, {"Name": "Person"}]
    yield {"Name": "Face", "Confidence": surest, "Instances": boxes, "Parents": parents, "Categories": category}
    for name, above in (("Head", [{"Name": "Person"}]), ("Person", [])):
        yield {"Name": name, "Confidence": surest, "Instances": [], "Parents": above, "Categories": category}


def _box(box: Sequence[int], size: tuple[int, int]) -> dict[str, float]:
    left, top, width, height = box
    return {
        "Left": left / size[0],
        "Top": top / size[1],
        "Width": width / size[0],
        "Height": height / size[1],
    }


def _geometry(corners: Any, size: tuple[int, int]) -> dict[str, Any]:
    across = [float(x) / size[0] for x, _ in corners]
    down = [float(y) / size[1] for _, y in corners]
    box = {
        "Left": min(across),
        "Top": min(down),
        "Width": max(across) - min(across),
        "Height": max(down) - min(down),
    }
    return {"BoundingBox": box, "Polygon": [{"X": x, "Y": y} for x, y in zip(across, down, strict=True)]}


def _properties(image: Any) -> dict[str, Any]:
    from PIL import Image, ImageFilter, ImageStat

    grey = image.convert("L")
    light = ImageStat.Stat(grey)
    edges = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
    sharp = ImageStat.Stat(grey.filter(edges)).var[0]
    small = image.resize(_SAMPLE, Image.Resampling.BOX).quantize(_COLOURS)
    palette, counts = small.getpalette() or [], small.getcolors() or []
    colours = []
    for count, index in sorted(counts, reverse=True):
        red, green, blue = palette[3 * index : 3 * index + 3]
        share = 100 * count / (_SAMPLE[0] * _SAMPLE[1])
        colours.append(
            {
                "Red": red,
                "Green": green,
                "Blue": blue,
                "HexCode": f"#{red:02x}{green:02x}{blue:02x}",
                "PixelPercent": share,
            }
        )
    return {
        "Quality": {
            "Brightness": 100 * light.mean[0] / 255,
            "Sharpness": min(100.0, 100 * (sharp / _SHARP) ** 0.5),
            "Contrast": min(100.0, 100 * light.stddev[0] / 128),
        },
        "DominantColors": colours,
    }
