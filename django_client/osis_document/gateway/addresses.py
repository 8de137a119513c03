"""Whose request it is: the address that limits are counted by."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest
from rest_framework.settings import api_settings

from osis_document import conf

#: One customer commonly has a whole network of this size.
_IPV6_PREFIX = 64


def address_of(request: HttpRequest) -> str:
    """The caller's address; of IPv6 the network.

    `X-Forwarded-For` is believed only as far as REST framework's setting NUM_PROXIES says that one's own proxies wrote it.
    """
    direct = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    proxies = api_settings.NUM_PROXIES or 0
    return _network(forwarded[-min(proxies, len(forwarded))] if proxies and forwarded else direct)


def is_trusted(address: str) -> bool:
    """True when `OSIS_DOCUMENT_TRUSTED_ADDRESSES` has this address, or a network that it is in."""
    known = conf.as_network(address)
    return known is not None and any(_contains(network, known) for network in conf.trusted_networks())


def _contains(network: conf.Network, address: conf.Network) -> bool:
    if isinstance(network, ipaddress.IPv6Network):
        return isinstance(address, ipaddress.IPv6Network) and (address.subnet_of(network) or network.subnet_of(address))
    return isinstance(address, ipaddress.IPv4Network) and address.subnet_of(network)


def _network(text: str) -> str:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text  # a Unix socket has none: all who come through it count as one
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
