"""Newer code lists from the channel: a new catalogue to look at, never a silent replacement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.catalogue import Catalogue, ListDifference, ListedIvan, ListUpdate, Province, Ward
from bhxh_sdk.models import Certainty
from bhxh_sdk.transport import Operation
from bhxh_sdk.workflow.world import World, vietnamese_date

if TYPE_CHECKING:
    from datetime import date

    from bhxh_sdk.transport import Channel

__all__ = ["refreshed_catalogue"]

_GENERATION = 34
"""The provinces since July 2025: what channels serve today."""


async def refreshed_catalogue(world: World) -> tuple[Catalogue, tuple[ListDifference, ...]]:
    """Ask the channel for every list that its profile has.

    Args:
        world: what to work with.

    Returns:
        The world's catalogue with the newer lists laid over, and what each changes. What the channel does not
        serve is left as it is.

    """
    today = vietnamese_date(world.now())
    catalogue, differences = world.catalogue, []
    for update in await _updates(world.channel, world.catalogue, today):
        differences.append(catalogue.difference(update))
        catalogue = catalogue.refreshed(update)
    return catalogue, tuple(differences)


async def _updates(channel: Channel, catalogue: Catalogue, today: date) -> list[ListUpdate]:
    offered, source = channel.capabilities.operations, f"channel {channel.capabilities.name}"
    updates = []
    if Operation.IVANS in offered:
        ivans = [
            ListedIvan(code=ivan.code, name=ivan.name, source=source, certainty=Certainty.SEEN)
            for ivan in await channel.ivans()
        ]
        updates.append(
            ListUpdate(list_name="ivans", rows=tuple(ivans), source=source, as_of=today, complete=True)
        )
    provinces = (
        await _provinces(channel, source) if Operation.PROVINCES in offered else catalogue.provinces(today)
    )
    if Operation.PROVINCES in offered:
        updates.append(ListUpdate(list_name="provinces", rows=provinces, source=source, as_of=today))
    if Operation.AGENCIES in offered:
        agencies = [agency for province in provinces for agency in await channel.agencies(province.code)]
        updates.append(ListUpdate(list_name="agencies", rows=tuple(agencies), source=source, as_of=today))
    if Operation.WARDS in offered:
        wards = [ward for province in provinces for ward in await _wards(channel, province, source)]
        updates.append(
            ListUpdate(list_name="wards", rows=tuple(wards), source=source, as_of=today, complete=True)
        )
    return updates


async def _provinces(channel: Channel, source: str) -> tuple[Province, ...]:
    return tuple(
        Province(
            code=entry.code, generation=_GENERATION, name=entry.name, source=source, certainty=Certainty.SEEN
        )
        for entry in await channel.provinces()
    )


async def _wards(channel: Channel, province: Province, source: str) -> tuple[Ward, ...]:
    return tuple(
        Ward(code=entry.code, name=entry.name, province_code=province.code, source=source)
        for entry in await channel.wards(province.code)
    )
