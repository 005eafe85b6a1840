"""What the rules rest on, named once."""

from __future__ import annotations

__all__ = [
    "AGENCY_LIST",
    "DECREE_166",
    "FIRST_DOSSIER",
    "FORM_06",
    "GUIDE_14",
    "GUIDE_24",
    "IVAN_FORM",
    "IVAN_LIST",
    "SIGNING_LAW",
    "TAX_LAW",
]

DECREE_166 = "declaration of Decree 166/2016/NĐ-CP"
GUIDE_14 = "portal guide, step 14"
GUIDE_24 = "portal guide, steps 14 and 24"
IVAN_FORM = "I-VAN web form, 2022"
FORM_06 = "form 06/NG-IVAN of Decision 08/2015/QĐ-TTg"
FIRST_DOSSIER = "dossier of a first registration (HSDKLanDau); I-VAN web form, 2022"
TAX_LAW = "Circular 90/2026/TT-BTC, Art. 5"
AGENCY_LIST = "list of agencies of this catalogue; it is incomplete"
IVAN_LIST = "the portal's list of I-VANs, 2026-02"
SIGNING_LAW = "Decree 23/2025/NĐ-CP, Art. 17; Circular 15/2025/TT-BKHCN, Art. 5 and 6"
