//! Configuration: what the command line and `CERTDECK_…` variables say, over the TOML file given
//! by `--config`, over the defaults.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use acme::Network;
use acme::config::NotANetwork;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use domain::model::KeyType;
use serde::{Deserialize, Deserializer, Serialize};

use crate::clock::Moved;

/// The options of the command line; each is also a variable and a key of the TOML file.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct Options {
    /// TOML file with any of these options as keys (`data_dir = "…"`)
    #[arg(long, global = true, env = "CERTDECK_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Folder of the SQLite file and the master key [default: ./data]
    #[arg(long, global = true, env = "CERTDECK_DATA_DIR", value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,

    /// <sqlite://FILE> or postgres://… [default: sqlite file in the data folder]
    #[arg(
        long,
        global = true,
        env = "CERTDECK_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,

    /// File with the master key that encrypts secrets at rest [default: master.key in the data folder]
    #[arg(long, global = true, env = "CERTDECK_MASTER_KEY_FILE", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_key_file: Option<PathBuf>,

    /// Address of the plain HTTP listener, or off [default: 127.0.0.1:3000]
    #[arg(long, global = true, env = "CERTDECK_LISTEN", value_name = "IP:PORT|off", value_parser = listener)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,

    /// Address of the HTTPS listener, or off [default: 127.0.0.1:3443]
    #[arg(long, global = true, env = "CERTDECK_TLS_LISTEN", value_name = "IP:PORT|off", value_parser = listener)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_listen: Option<String>,

    /// Public URL of the portal; all ACME URLs are made from it [default: the HTTPS listener]
    #[arg(long, global = true, env = "CERTDECK_BASE_URL", value_name = "URL", value_parser = base_url)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,

    /// Public http:// URL under which CRL and OCSP answers are found [default: the HTTP listener, or
    /// the public URL]
    #[arg(long, global = true, env = "CERTDECK_AUTHORITY_URL", value_name = "URL", value_parser = base_url)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority_url: Option<String>,

    /// Kind of the keys of the authority that the very first start makes: ec_p256, ec_p384,
    /// rsa2048, rsa3072 or rsa4096 [default: ec_p256]
    #[expect(clippy::doc_markdown, reason = "shown as it is, as the command line's help")]
    #[arg(
        long,
        global = true,
        env = "CERTDECK_AUTHORITY_KEY",
        value_name = "KIND",
        value_parser = key_type
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority_key: Option<KeyType>,

    /// Port that http-01 validation connects to [default: 80]
    #[arg(long, global = true, env = "CERTDECK_ACME_HTTP01_PORT", value_name = "PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acme_http01_port: Option<u16>,

    /// Port that tls-alpn-01 validation connects to [default: 443]
    #[arg(long, global = true, env = "CERTDECK_ACME_TLSALPN01_PORT", value_name = "PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acme_tlsalpn01_port: Option<u16>,

    /// Minutes for which an ACME account may use a validation by challenge again, 5 to 1440 [default: 60]
    #[arg(
        long,
        global = true,
        env = "CERTDECK_ACME_REUSE",
        value_name = "MINUTES",
        value_parser = clap::value_parser!(u16).range(REUSE)
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acme_reuse: Option<u16>,

    /// Resolver that validation asks [default: the system's]
    #[arg(long, global = true, env = "CERTDECK_DNS_RESOLVER", value_name = "IP:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_resolver: Option<SocketAddr>,

    /// Names that CAA is looked at for: challenges or always [default: always where a resolver is named]
    #[arg(long, global = true, env = "CERTDECK_CAA", value_name = "WHICH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caa: Option<Caa>,

    /// Networks that validation may reach although they are private or loopback, comma separated
    #[arg(long, global = true, env = "CERTDECK_VALIDATION_ALLOW", value_name = "CIDR,…", value_parser = networks)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_allow: Option<String>,

    /// Networks of proxies whose X-Forwarded-For is believed, comma separated
    #[arg(long, global = true, env = "CERTDECK_TRUSTED_PROXIES", value_name = "CIDR,…", value_parser = networks)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<String>,

    /// With --demo: an RFC 3339 start time, or an offset such as +40d
    #[arg(
        long,
        global = true,
        env = "CERTDECK_CLOCK",
        value_name = "TIME",
        value_parser = moved,
        allow_hyphen_values = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,

    /// Address of the Prometheus listener [default: none]
    #[arg(long, global = true, env = "CERTDECK_METRICS_LISTEN", value_name = "IP:PORT", value_parser = listener)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<String>,

    /// text or json [default: text]
    #[arg(long, global = true, env = "CERTDECK_LOG_FORMAT", value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,
}

/// Wrong usage where the value does not read: in the file the same value is a faulty configuration.
fn listener(text: &str) -> Result<String, String> {
    Listen::try_from(text.to_owned()).map(|_| text.to_owned())
}

fn networks(text: &str) -> Result<String, String> {
    Networks::try_from(text.to_owned()).map(|_| text.to_owned())
}

fn moved(text: &str) -> Result<String, String> {
    Moved::try_from(text.to_owned()).map(|_| text.to_owned())
}

fn base_url(text: &str) -> Result<String, String> {
    check_base_url(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

fn key_type(text: &str) -> Result<KeyType, String> {
    text.parse().map_err(|_| {
        let kinds: Vec<&str> = KeyType::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("choose one of {}", kinds.join(", "))
    })
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Which names CAA is looked at for (RFC 8659).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Caa {
    /// Those that are validated by ACME challenge.
    Challenges,
    /// All names of public products, whenever a certificate is issued.
    Always,
}

/// A listener's address, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Listen {
    /// Listens there; port 0 lets the system choose.
    On(SocketAddr),
    /// Does not listen.
    Off,
}

impl TryFrom<String> for Listen {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self::Off);
        }
        text.parse().map(Self::On).map_err(|_| {
            format!("{text:?} is not an address: give IP:PORT, as 127.0.0.1:3000, or off")
        })
    }
}

impl Listen {
    /// The address, where it listens.
    pub const fn address(self) -> Option<SocketAddr> {
        match self {
            Self::On(address) => Some(address),
            Self::Off => None,
        }
    }
}

/// Networks, in the text with commas between them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Networks(pub Vec<Network>);

impl TryFrom<String> for Networks {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
        texts
            .map(|one| one.parse().map_err(|no: NotANetwork| no.to_string()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// The configuration with every default filled in.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub data_dir: PathBuf,
    database_url: Option<String>,
    master_key_file: Option<PathBuf>,
    pub listen: Listen,
    pub tls_listen: Listen,
    pub base_url: Option<String>,
    pub authority_url: Option<String>,
    pub authority_key: KeyType,
    pub acme_http01_port: u16,
    pub acme_tlsalpn01_port: u16,
    #[serde(deserialize_with = "reuse")]
    pub acme_reuse: u16,
    pub dns_resolver: Option<SocketAddr>,
    caa: Option<Caa>,
    pub validation_allow: Networks,
    pub trusted_proxies: Networks,
    pub clock: Option<Moved>,
    /// Only `serve` looks at it: other commands with the same file are not in the demonstration.
    pub demo: bool,
    pub metrics_listen: Option<Listen>,
    pub log_format: LogFormat,
}

impl Default for Config {
    fn default() -> Self {
        let local = |port| Listen::On(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        Self {
            data_dir: PathBuf::from("data"),
            database_url: None,
            master_key_file: None,
            listen: local(3000),
            tls_listen: local(3443),
            base_url: None,
            authority_url: None,
            authority_key: KeyType::EcP256,
            acme_http01_port: 80,
            acme_tlsalpn01_port: 443,
            acme_reuse: 60,
            dns_resolver: None,
            caa: None,
            validation_allow: Networks::default(),
            trusted_proxies: Networks::default(),
            clock: None,
            demo: false,
            metrics_listen: None,
            log_format: LogFormat::Text,
        }
    }
}

impl Config {
    /// Which names CAA is looked at for. Without a resolver that the operator chose it may be that
    /// there is none, as in the demonstration: there, issuing does not depend on one.
    pub fn caa(&self) -> Caa {
        match (self.caa, self.dns_resolver) {
            (Some(caa), _) => caa,
            (None, Some(_)) => Caa::Always,
            (None, None) => Caa::Challenges,
        }
    }

    /// The defaults in a folder, and with a database where one is given.
    #[cfg(test)]
    pub fn in_folder(dir: &std::path::Path, database: Option<&str>) -> Self {
        let database_url = database.map(str::to_owned);
        Self { data_dir: dir.to_owned(), database_url, ..Self::default() }
    }

    /// Merges the file, where one is named, with the options.
    pub fn load(options: &Options) -> anyhow::Result<Self> {
        let mut table = match &options.config {
            None => toml::Table::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| {
                    format!("cannot read the configuration file {}", path.display())
                })?;
                text.parse().with_context(|| {
                    format!("the configuration file {} is not TOML", path.display())
                })?
            }
        };
        table.extend(toml::Table::try_from(options)?);
        let config: Self = table.try_into().context("the configuration cannot be used")?;
        for url in config.base_url.iter().chain(&config.authority_url) {
            check_base_url(url)?;
        }
        Ok(config)
    }

    /// The database's URL: as given, or the SQLite file in the data folder.
    pub fn database_url(&self) -> String {
        self.database_url.clone().unwrap_or_else(|| {
            format!("sqlite://{}", self.data_dir.join("certdeck.sqlite").display())
        })
    }

    /// Whether that is a PostgreSQL database.
    pub fn is_postgres(&self) -> bool {
        let url = self.database_url();
        url.starts_with("postgres://") || url.starts_with("postgresql://")
    }

    /// The master key's file.
    pub fn master_key_file(&self) -> PathBuf {
        self.master_key_file.clone().unwrap_or_else(|| self.data_dir.join("master.key"))
    }
}

/// Enough for a client to make its CSR and send it, and no more than a day: a stolen account key must not
/// live on an old validation.
const REUSE: RangeInclusive<i64> = 5..=1_440;

/// The same bounds in the file as on the command line.
fn reuse<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let minutes = u16::deserialize(deserializer)?;
    if REUSE.contains(&i64::from(minutes)) {
        return Ok(minutes);
    }
    Err(serde::de::Error::custom(format_args!("acme_reuse is {minutes}: give 5 to 1440 minutes")))
}

fn check_base_url(url: &str) -> anyhow::Result<()> {
    let parsed: http::Uri =
        url.parse().with_context(|| format!("the base URL {url:?} is not a URL"))?;
    let plain = matches!(parsed.scheme_str(), Some("http" | "https"))
        && parsed.host().is_some()
        && parsed.query().is_none();
    anyhow::ensure!(plain, "the base URL {url:?} must be http(s)://host[:port][/path]");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_win_over_the_file_and_the_file_over_defaults() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            "listen = \"off\"\nacme_http01_port = 5002\nlog_format = \"json\"\n",
        )
        .unwrap();
        let options = Options {
            config: Some(file.path().to_path_buf()),
            acme_http01_port: Some(8080),
            ..Options::default()
        };
        let config = Config::load(&options).unwrap();
        assert_eq!(config.listen, Listen::Off);
        assert_eq!(config.acme_http01_port, 8080);
        assert_eq!(config.acme_tlsalpn01_port, 443);
        assert_eq!(config.log_format, LogFormat::Json);
    }

    #[test]
    fn validations_are_reused_within_bounds() {
        let of = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let config = Some(file.path().to_path_buf());
            Config::load(&Options { config, ..Options::default() }).map(|config| config.acme_reuse)
        };
        assert_eq!(of("").unwrap(), 60);
        assert_eq!(of("acme_reuse = 5").unwrap(), 5);
        assert_eq!(of("acme_reuse = 1440").unwrap(), 1_440);
        for bad in ["acme_reuse = 4", "acme_reuse = 1441"] {
            assert!(format!("{:#}", of(bad).unwrap_err()).contains("5 to 1440 minutes"), "{bad}");
        }
    }

    #[test]
    fn caa_is_looked_at_always_where_a_resolver_is_named() {
        let config = |caa, resolver: Option<&str>| {
            let dns_resolver = resolver.map(|text| text.parse().unwrap());
            Config::load(&Options { dns_resolver, caa, ..Options::default() }).unwrap().caa()
        };
        assert_eq!(config(None, None), Caa::Challenges);
        assert_eq!(config(None, Some("127.0.0.1:53")), Caa::Always);
        assert_eq!(config(Some(Caa::Always), None), Caa::Always);
        assert_eq!(config(Some(Caa::Challenges), Some("127.0.0.1:53")), Caa::Challenges);
    }

    #[test]
    fn unknown_keys_and_bad_values_are_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let load = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            Config::load(&Options { config: Some(file.path().to_path_buf()), ..Options::default() })
        };
        assert!(format!("{:#}", load("lissten = \"off\"").unwrap_err()).contains("lissten"));
        assert!(format!("{:#}", load("listen = \"here\"").unwrap_err()).contains("IP:PORT"));
        assert!(load("base_url = \"ftp://a\"").is_err());
    }
}
