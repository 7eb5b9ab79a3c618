"""AWS Regions by name: the form of a name, those that are known, and which one a city stands for."""

from __future__ import annotations

import re

REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_PLACES = """
us-east-1 virginia n.virginia
us-east-2 ohio
us-west-1 california n.california
us-west-2 oregon
af-south-1 capetown
ap-east-1 hongkong
ap-east-2 taipei
ap-south-1 mumbai
ap-south-2 hyderabad
ap-northeast-1 tokyo japan
ap-northeast-2 seoul korea
ap-northeast-3 osaka
ap-southeast-1 singapore
ap-southeast-2 sydney
ap-southeast-3 jakarta
ap-southeast-4 melbourne
ap-southeast-5 malaysia
ap-southeast-6 newzealand
ap-southeast-7 thailand bangkok
ca-central-1 canada montreal
ca-west-1 calgary
eu-central-1 frankfurt germany
eu-central-2 zurich
eu-north-1 stockholm
eu-south-1 milan
eu-south-2 spain
eu-west-1 ireland dublin
eu-west-2 london
eu-west-3 paris
il-central-1 telaviv
me-central-1 uae
me-south-1 bahrain
mx-central-1 mexico
sa-east-1 saopaulo brazil
us-gov-east-1
us-gov-west-1 govcloud
cn-north-1 beijing
cn-northwest-1 ningxia
us-iso-east-1
us-iso-west-1
us-isob-east-1
us-isob-west-1
eu-isoe-west-1
us-isof-east-1
us-isof-south-1
eusc-de-east-1
"""
_BY_REGION = {line.split()[0]: line.split()[1:] for line in _PLACES.strip().splitlines()}
REGIONS = tuple(_BY_REGION)
"""The Regions of all partitions (the SDK's endpoints.json); AWS adds one or two a year."""
FORM_PROBLEM = "must be an AWS Region such as ap-northeast-1"


def region_problem(name: str) -> str | None:
    """Says why this cannot be a Region, with the Region that a city's name stands for.

    None for the form of a Region.
    """
    if REGION.fullmatch(name):
        return None
    place = re.sub(r"[^a-z.]", "", name.lower())
    meant = [region for region, places in _BY_REGION.items() if place in places]
    meant += [
        region
        for region in REGIONS
        if region.replace("-", "") == re.sub(r"[^a-z0-9]", "", name.lower())
    ]
    return f"must be an AWS Region: did you mean {meant[0]}?" if meant else FORM_PROBLEM


def region_doubt(name: str) -> str | None:
    """Warns of a name that has a Region's form and is not known."""
    if name in REGIONS:
        return None
    from difflib import get_close_matches

    near = get_close_matches(name, REGIONS, n=1)
    hint = f": did you mean {near[0]}?" if near else ""
    return f"no Region {name} is known{hint}"
