"""The names of transports: https://www.iana.org/assignments/protocol-numbers"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ICMP: Final = "ICMP"
TCP: Final = "TCP"
UDP: Final = "UDP"

_NAMES: Final = """
    HOPOPT ICMP IGMP GGP IPV4 ST TCP CBT EGP IGP BBN-RCC-MON NVP-II PUP ARGUS EMCON XNET CHAOS UDP MUX DCN-MEAS
    HMP PRM XNS-IDP TRUNK-1 TRUNK-2 LEAF-1 LEAF-2 RDP IRTP ISO-TP4 NETBLT MFE-NSP MERIT-INP DCCP 3PC IDPR XTP
    DDP IDPR-CMTP TP++ IL IPV6 SDRP IPV6-ROUTE IPV6-FRAG IDRP RSVP GRE DSR BNA ESP AH I-NLSP SWIPE NARP MIN-IPV4
    TLSP SKIP IPV6-ICMP IPV6-NONXT IPV6-OPTS - CFTP - SAT-EXPAK KRYPTOLAN RVD IPPC - SAT-MON VISA IPCV CPNX CPHB
    WSN PVP BR-SAT-MON SUN-ND WB-MON WB-EXPAK ISO-IP VMTP SECURE-VMTP VINES IPTM NSFNET-IGP DGP TCF EIGRP
    OSPFIGP SPRITE-RPC LARP MTP AX.25 IPIP MICP SCC-SP ETHERIP ENCAP - GMTP IFMP PNNI PIM ARIS SCPS QNX A/N
    IPCOMP SNP COMPAQ-PEER IPX-IN-IP VRRP PGM - L2TP DDX IATP STP SRP UTI SMP SM PTP ISIS-OVER-IPV4 FIRE CRTP
    CRUDP SSCOPMCE IPLT SPS PIPE SCTP FC RSVP-E2E-IGNORE MOBILITY-HEADER UDPLITE MPLS-IN-IP MANET HIP SHIM6 WESP
    ROHC ETHERNET AGGFRAG NSH HOMA
""".split()  # noqa: SIM905 - as a list of literals it fills pages
"""By number, from 0 on; `-` where a number has a use and no name."""

_ICMP_OF_IPV6: Final = "IPV6-ICMP"
"""A name of its own that means the same to measures."""

TRANSPORT_NAMES: Final = frozenset(_NAMES) - {"-", _ICMP_OF_IPV6}
"""The names that transports have in records."""

OTHER_SPELLINGS: Final[Mapping[str, str]] = {
    **{str(number): name for number, name in enumerate(_NAMES) if name in TRANSPORT_NAMES},
    **dict.fromkeys(("58", _ICMP_OF_IPV6, "ICMP6", "ICMPV6"), ICMP),
}
"""Number or other name, in upper case -> name."""
