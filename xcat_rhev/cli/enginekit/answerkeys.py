"""What the setup of a manager asks, release by release: names, types and the answers of a kit.

Names and types are those of the setup's own constants and plugins: `engine-setup.py` of oVirt 3.0 to 3.2,
`packaging/setup/ovirt_engine_setup` of ovirt-engine 3.3 to 4.5, of ovirt-engine-dwh and of ovirt-engine-keycloak, and
the imageio proxy's of 4.0 to 4.3. An answer that a release does not know is never written.
"""

from __future__ import annotations

from typing import NamedTuple


class AnswerKey(NamedTuple):
    """One line of an answer file.

    Attributes:
        key: As the setup calls it.
        kind: The type that otopi reads before the colon: bool, int, str; empty before 3.3, which had no types.
        value: The answer; names in braces are filled in.
        first: The first release that knows the key.
        last: The last one; empty where the newest does.
    """

    key: str
    kind: str
    value: str
    first: str
    last: str = ""


#: 3.0: `engine-setup.py` and `gen-answer-file` (also https://sourceforge.net/p/xcat/wiki/XCAT_Virtualization_with_RHEV).
#: 3.1 and 3.2: `setup_sequences.py`, `engine-setup.py`. All keys of a group have to be there.
FLAT = (
    AnswerKey("OVERRIDE_IPTABLES", "", "yes", "3.0", "3.1"),
    AnswerKey("OVERRIDE_FIREWALL", "", "IPTables", "3.2", "3.2"),
    AnswerKey("OVERRIDE_HTTPD_CONFIG", "", "yes", "3.1", "3.2"),
    AnswerKey("HTTP_PORT", "", "8080", "3.0", "3.0"),
    AnswerKey("HTTPS_PORT", "", "8443", "3.0", "3.0"),
    AnswerKey("HTTP_PORT", "", "80", "3.1", "3.2"),
    AnswerKey("HTTPS_PORT", "", "443", "3.1", "3.2"),
    AnswerKey("RANDOM_PASSWORDS", "", "no", "3.2", "3.2"),
    AnswerKey("MAC_RANGE", "", "{macs}", "3.0", "3.2"),
    AnswerKey("HOST_FQDN", "", "{fqdn}", "3.0", "3.2"),
    AnswerKey("AUTH_PASS", "", "{password}", "3.0", "3.2"),
    AnswerKey("ORG_NAME", "", "{organization}", "3.0", "3.2"),
    AnswerKey("APPLICATION_MODE", "", "both", "3.2", "3.2"),
    AnswerKey("DC_TYPE", "", "NFS", "3.0", "3.2"),
    AnswerKey("DB_PASS", "", "{database}", "3.0", "3.0"),
    AnswerKey("DB_REMOTE_INSTALL", "", "local", "3.1", "3.2"),
    AnswerKey("DB_LOCAL_PASS", "", "{database}", "3.1", "3.2"),
    AnswerKey("CONFIG_NFS", "", "no", "3.0", "3.2"),
)

#: 3.3 and later: otopi's environment.
TYPED = (
    AnswerKey("OVESETUP_DIALOG/confirmSettings", "bool", "True", "3.3"),
    AnswerKey("OVESETUP_CONFIG/applicationMode", "str", "both", "3.3"),
    AnswerKey("OVESETUP_CONFIG/fqdn", "str", "{fqdn}", "3.3"),
    AnswerKey("OVESETUP_ENGINE_CONFIG/fqdn", "str", "{fqdn}", "3.6"),
    AnswerKey("OVESETUP_CONFIG/adminPassword", "str", "{password}", "3.3"),
    AnswerKey("OVESETUP_CONFIG/storageType", "str", "nfs", "3.3", "3.3"),
    AnswerKey("OVESETUP_CONFIG/storageIsLocal", "bool", "False", "3.4"),
    AnswerKey("OVESETUP_CONFIG/sanWipeAfterDelete", "bool", "False", "3.6"),
    AnswerKey("OVESETUP_CONFIG/updateFirewall", "bool", "True", "3.3"),
    AnswerKey("OVESETUP_CONFIG/firewallManager", "str", "{firewall}", "3.3"),
    AnswerKey("OVESETUP_CONFIG/firewallChangesReview", "bool", "False", "3.6"),
    AnswerKey("OVESETUP_CONFIG/websocketProxyConfig", "bool", "True", "3.3"),
    AnswerKey("OVESETUP_VMCONSOLE_PROXY_CONFIG/vmconsoleProxyConfig", "bool", "True", "3.6"),
    AnswerKey("OVESETUP_CONFIG/imageioProxyConfig", "bool", "True", "4.0", "4.3"),
    AnswerKey("OVESETUP_CONFIG/cinderCDeploy", "bool", "False", "3.6", "4.1"),
    AnswerKey("OVESETUP_CONFIG/glanceCDeploy", "bool", "False", "3.6", "4.1"),
    AnswerKey("OVESETUP_AIO/configure", "bool", "False", "3.3", "3.6"),
    AnswerKey("OVESETUP_ENGINE_CORE/enable", "bool", "True", "3.5"),
    AnswerKey("OVESETUP_SYSTEM/memCheckEnabled", "bool", "True", "3.3"),
    AnswerKey("OVESETUP_SYSTEM/nfsConfigEnabled", "bool", "False", "3.3", "4.4"),
    AnswerKey("OVESETUP_PKI/organization", "str", "{organization}", "3.3"),
    AnswerKey("OVESETUP_APACHE/configureRootRedirection", "bool", "True", "3.3"),
    AnswerKey("OVESETUP_APACHE/configureSsl", "bool", "True", "3.3"),
    AnswerKey("OVESETUP_PROVISIONING/postgresProvisioningEnabled", "bool", "True", "3.3"),
    AnswerKey("OVESETUP_DB/host", "str", "localhost", "3.3"),
    AnswerKey("OVESETUP_DB/port", "int", "5432", "3.3"),
    AnswerKey("OVESETUP_DB/secured", "bool", "False", "3.3"),
    AnswerKey("OVESETUP_DB/securedHostValidation", "bool", "False", "3.3"),
    AnswerKey("OVESETUP_DB/database", "str", "engine", "3.3"),
    AnswerKey("OVESETUP_DB/user", "str", "engine", "3.3"),
    AnswerKey("OSETUP_RPMDISTRO/enableUpgrade", "bool", "False", "3.3"),
    AnswerKey("OSETUP_RPMDISTRO/requireRollback", "bool", "False", "3.3"),
    AnswerKey("OVESETUP_DWH_CORE/enable", "bool", "True", "4.0"),
    AnswerKey("OVESETUP_DWH_CONFIG/scale", "str", "1", "4.0"),
    AnswerKey("OVESETUP_DWH_PROVISIONING/postgresProvisioningEnabled", "bool", "True", "4.0"),
    AnswerKey("OVESETUP_DWH_DB/host", "str", "localhost", "4.0"),
    AnswerKey("OVESETUP_DWH_DB/port", "int", "5432", "4.0"),
    AnswerKey("OVESETUP_DWH_DB/secured", "bool", "False", "4.0"),
    AnswerKey("OVESETUP_DWH_DB/securedHostValidation", "bool", "False", "4.0"),
    AnswerKey("OVESETUP_DWH_DB/database", "str", "ovirt_engine_history", "4.0"),
    AnswerKey("OVESETUP_DWH_DB/user", "str", "ovirt_engine_history", "4.0"),
    AnswerKey("OVESETUP_OVN/ovirtProviderOvn", "bool", "True", "4.2"),
    AnswerKey("QUESTION/1/ovirt-provider-ovn-default-credentials", "str", "yes", "4.2"),
    AnswerKey("OVESETUP_CL_DB/enable", "bool", "False", "4.3", "4.4"),
    AnswerKey("OVESETUP_MB_DB/enable", "bool", "False", "4.5"),
    AnswerKey("OVESETUP_GRAFANA_CORE/enable", "bool", "True", "4.4"),
    AnswerKey("QUESTION/1/GRAFANA_USE_ENGINE_ADMIN_PASSWORD", "str", "yes", "4.4"),
    AnswerKey("OVESETUP_CONFIG/keycloakEnable", "bool", "{keycloak}", "4.5"),
    AnswerKey("QUESTION/1/KEYCLOAK_USE_ENGINE_ADMIN_PASSWORD", "str", "yes", "4.5"),
    AnswerKey("OVESETUP_KEYCLOAK_PROVISIONING/postgresProvisioningEnabled", "bool", "{keycloak}", "4.5"),
)


def number(version: str) -> tuple[int, ...]:
    """A version to compare by: `4.10` is after `4.9`."""
    return tuple(map(int, version.split(".")))


def answers_of(version: str) -> tuple[AnswerKey, ...]:
    """What a release is told, in order.

    Args:
        version: Of the engine: `3.0` to `4.5`.
    """
    asked = FLAT if number(version) < (3, 3) else TYPED
    return tuple(answer for answer in asked if _known(answer, version))


def _known(answer: AnswerKey, version: str) -> bool:
    now = number(version)
    return number(answer.first) <= now and (not answer.last or now <= number(answer.last))
