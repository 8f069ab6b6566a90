//! What a role lets be issued; follows <https://developer.hashicorp.com/vault/api-docs/secret/pki#create-update-role>.
use super::super::super::{call::Refusal, text::Fields};
use serde_json::{Value, json};

/// The settings that are obeyed; the others are shown with their defaults.
#[derive(Debug)]
pub(super) struct Role {
    pub generate_lease: bool,
    allow_any_name: bool,
    allow_bare_domains: bool,
    allow_localhost: bool,
    allow_subdomains: bool,
    allowed_domains: Vec<String>,
    ttl: u64,
    max_ttl: u64,
}

// === impl Role ===

impl Role {
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, Refusal> {
        let flag = |name, usual| fields.flag(name).unwrap_or(usual);
        Ok(Self {
            generate_lease: flag("generate_lease", false),
            allow_any_name: flag("allow_any_name", false),
            allow_bare_domains: flag("allow_bare_domains", false),
            allow_localhost: flag("allow_localhost", true),
            allow_subdomains: flag("allow_subdomains", false),
            allowed_domains: fields.list("allowed_domains").unwrap_or_default(),
            ttl: fields.seconds("ttl")?.unwrap_or(0),
            max_ttl: fields.seconds("max_ttl")?.unwrap_or(0),
        })
    }

    pub(super) fn allows(&self, name: &str) -> bool {
        let below = |domain: &String| {
            let start = name.strip_suffix(domain.as_str());
            start.is_some_and(|start| start.len() > 1 && start.ends_with('.'))
        };
        let local = name == "localhost" || name == "localdomain";
        self.allow_any_name
            || (self.allow_localhost && local)
            || (self.allow_bare_domains && self.allowed_domains.iter().any(|own| own == name))
            || (self.allow_subdomains && self.allowed_domains.iter().any(below))
    }

    /// Seconds of a new certificate: what is asked for, else the role's, else the mount's, and at most the role's maximum.
    pub(super) fn ttl(&self, asked: Option<u64>, default: u64) -> u64 {
        let set = |seconds: &u64| *seconds > 0;
        let ttl = asked.filter(set).or(Some(self.ttl).filter(set));
        let max = Some(self.max_ttl).filter(set).unwrap_or(u64::MAX);
        ttl.unwrap_or(default).min(max)
    }

    pub(super) fn show(&self) -> Value {
        let mut shown = usual();
        for (name, value) in [
            ("allow_any_name", self.allow_any_name),
            ("allow_bare_domains", self.allow_bare_domains),
            ("allow_localhost", self.allow_localhost),
            ("allow_subdomains", self.allow_subdomains),
            ("generate_lease", self.generate_lease),
        ] {
            shown[name] = value.into();
        }
        shown["allowed_domains"] = self.allowed_domains.clone().into();
        shown["max_ttl"] = self.max_ttl.into();
        shown["ttl"] = self.ttl.into();
        shown
    }
}

/// The settings that are not obeyed.
fn usual() -> Value {
    let mut shown = json!({
        "cn_validations": ["email", "hostname"], "issuer_ref": "default", "key_bits": 256,
        "key_type": "ec", "key_usage": ["DigitalSignature", "KeyAgreement", "KeyEncipherment"],
        "not_after": "", "not_before_duration": 30, "signature_bits": 256,
    });
    for name in [
        "allow_ip_sans",
        "allow_wildcard_certificates",
        "client_flag",
        "enforce_hostnames",
        "require_cn",
        "server_flag",
        "use_csr_common_name",
        "use_csr_sans",
    ] {
        shown[name] = true.into();
    }
    for name in [
        "allow_glob_domains",
        "allow_token_displayname",
        "allowed_domains_template",
        "allowed_uri_sans_template",
        "basic_constraints_valid_for_non_ca",
        "code_signing_flag",
        "email_protection_flag",
        "no_store",
        "use_pss",
    ] {
        shown[name] = false.into();
    }
    for name in [
        "allowed_other_sans",
        "allowed_serial_numbers",
        "allowed_uri_sans",
        "allowed_user_ids",
        "country",
        "ext_key_usage",
        "ext_key_usage_oids",
        "locality",
        "organization",
        "ou",
        "policy_identifiers",
        "postal_code",
        "province",
        "street_address",
    ] {
        shown[name] = json!([]);
    }
    shown
}
