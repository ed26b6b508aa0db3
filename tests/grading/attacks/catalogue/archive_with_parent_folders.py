"""Hands in archives whose members are called ../../.. and /…, with links and device nodes."""

import io
import tarfile
import zipfile
from pathlib import Path

KIND = "disk"
GAINS = "others"


def prepare(folder: Path) -> None:
    marker = folder.parents[2] / "escaped-from-archive"
    names = ["../../../escaped-from-archive", str(marker), "a/../../../../escaped-from-archive"]
    with zipfile.ZipFile(folder / "submission.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "was here")
    with tarfile.open(folder / "submission.tar.gz", "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 8
            archive.addfile(member, io.BytesIO(b"was here"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../.."
        device = tarfile.TarInfo("device")
        device.type, device.devmajor, device.devminor = tarfile.BLKTYPE, 7, 0
        archive.addfile(link)
        archive.addfile(device)
