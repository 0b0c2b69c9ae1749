"""Names that the published suite of onedatafilerestclient imports from its package."""

import os

ZONE_DOMAIN = os.environ["SUITE_ZONE"]
PROVIDER_KRK_DOMAIN = os.environ["SUITE_KRK"]
PROVIDER_PAR_DOMAIN = os.environ["SUITE_PAR"]
SPACE_KRK_PAR_NAME = "space_krk_par"
SPACE_PAR_NAME = "space_par"
SPACE_NO_SUPPORT_NAME = "space_nosupport"
