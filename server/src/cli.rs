//! The command line: names as `docs/OPERATING.md` has them; scripts rely on them.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};
use domain::Timestamp;
use domain::model::Role;

use crate::config::Options;

/// Certificate portal: orders, duplicates, automation and ACME.
#[derive(Debug, Parser)]
#[command(name = "certdeck", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Portal, API, ACME and worker in one process
    Serve(Serve),
    /// Only the background work (PostgreSQL)
    Worker,
    /// Bring the database schema up
    Migrate,
    /// Check configuration, database, CA, clock and disk, and say what to mend
    Doctor,
    /// People
    #[command(subcommand)]
    User(UserCommand),
    /// API keys
    #[command(subcommand)]
    Token(TokenCommand),
    /// Organizations
    #[command(subcommand)]
    Org(OrgCommand),
    /// Domains of organizations
    #[command(subcommand)]
    Domain(DomainCommand),
    /// The product catalogue
    #[command(subcommand)]
    Product(ProductCommand),
    /// Account settings
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// ACME Directory URLs
    #[command(subcommand)]
    AcmeUrl(AcmeUrlCommand),
    /// Orders with their certificates
    #[command(subcommand)]
    Order(OrderCommand),
    /// The ACME server's decisions
    #[command(subcommand)]
    Acme(AcmeCommand),
    /// The certificate authority
    #[command(subcommand)]
    Ca(CaCommand),
    /// Load history from another system
    #[command(subcommand)]
    Import(ImportCommand),
    /// Deterministic synthetic orders
    Seed(Seed),
    /// Write a consistent copy of the database, also while serving
    Backup { file: PathBuf },
    /// Put a backup in the place of an empty or stopped installation's database
    Restore { file: PathBuf },
    /// The demonstration
    #[command(subcommand)]
    Demo(DemoCommand),
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Add demonstration data and TLS listeners; allows the clock options
    #[arg(
        long,
        env = "CERTDECK_DEMO",
        value_name = "BOOL",
        value_parser = FalseyValueParser::new(),
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub demo: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a person
    Add {
        email: String,
        /// administrator, manager, standard or limited
        #[arg(long, value_parser = role)]
        role: Role,
        /// The name shown on screens [default: the part before the @]
        #[arg(long)]
        name: Option<String>,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| {
        let all: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        format!("choose one of {}", all.join(", "))
    })
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make an API key and print it once
    Create {
        #[arg(long, value_name = "EMAIL")]
        user: String,
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum OrgCommand {
    /// Add an organization
    Add {
        name: String,
        /// ISO 3166-1 alpha-2
        #[arg(long, value_name = "CC")]
        country: String,
        /// Town, for OV and EV certificates
        #[arg(long, value_name = "TOWN", default_value = "")]
        locality: String,
        /// Number in the register of companies, for EV certificates
        #[arg(long, value_name = "NUMBER", default_value = "")]
        registration_number: String,
        /// Its validation is done
        #[arg(long)]
        validated: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum DomainCommand {
    /// Add a domain to an organization
    Add {
        name: String,
        #[arg(long, value_name = "NAME")]
        org: String,
        /// Control of it has been shown
        #[arg(long)]
        validated: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum ProductCommand {
    /// List the products and what they can do
    List {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// Print a setting
    Get { key: String },
    /// Change a setting
    Set { key: String, value: String },
}

#[derive(Debug, Subcommand)]
pub enum AcmeUrlCommand {
    /// Make an ACME Directory URL and print its credential once
    Create(CreateAcmeUrl),
}

#[derive(Debug, Args)]
pub struct CreateAcmeUrl {
    #[arg(long)]
    pub name: String,
    /// Product id, as `certdeck product list` shows
    #[arg(long, value_name = "ID")]
    pub product: String,
    #[arg(long, value_name = "NAME")]
    pub organization: String,
    /// Multi-year coverage length
    #[arg(long, value_name = "1|2|3", value_parser = clap::value_parser!(u8).range(1..=3))]
    pub coverage_years: Option<u8>,
    /// Validity of each certificate [default: the product's longest]
    #[arg(long, value_name = "N")]
    pub validity_days: Option<i64>,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum OrderCommand {
    /// List orders by their numbers
    List {
        #[arg(long)]
        json: bool,
    },
    /// Show an order with its certificates
    Show {
        number: i64,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum AcmeCommand {
    /// Say what an ACME request would do, and why, without issuing
    Explain(Explain),
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "give an RFC 3339 time, as 2027-01-01T00:00:00Z".to_owned())
}

#[derive(Debug, Args)]
pub struct Explain {
    /// The ACME Directory URL's name
    #[arg(long, value_name = "N", required_unless_present = "batch")]
    pub url_name: Option<String>,
    /// Names of the requested certificate
    #[arg(long = "name", value_name = "DNS", num_args = 1.., required_unless_present = "batch")]
    pub names: Vec<String>,
    /// Common name of the CSR
    #[arg(long, value_name = "DNS")]
    pub cn: Option<String>,
    /// enroll, renew, reissue or duplicate
    #[arg(long, value_name = "A")]
    pub action: Option<String>,
    /// Order number of the directory URL
    #[arg(long, value_name = "NUMBER")]
    pub order: Option<String>,
    /// As if it were then
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub at: Option<Timestamp>,
    #[arg(long)]
    pub json: bool,
    /// One question a line as JSON; answers with a line each
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url_name", "names", "cn", "action", "order", "at"])]
    pub batch: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum CaCommand {
    /// Print the root certificate as PEM
    ExportRoot,
    /// Bring in an own issuing CA: PEM key and chain (issuer first, root last)
    Import {
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        #[arg(long, value_name = "FILE")]
        chain: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// A line is what `order show --json` prints; all or nothing
    Orders { file: PathBuf },
}

#[derive(Debug, Args)]
pub struct Seed {
    /// How many orders
    #[arg(long, value_name = "N")]
    pub orders: u64,
    /// In a database without synthetic orders, the same seed makes the same ones
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Put the running demonstration back to its start
    Reset,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn coverage_is_one_two_or_three_years() {
        let with = |years: &str| {
            let words = ["certdeck", "acme-url", "create", "--name", "n", "--product", "ssl_plus"];
            let words = words.into_iter().chain(["--organization", "o", "--coverage-years", years]);
            super::Cli::try_parse_from(words).map(|_| ()).map_err(|error| error.exit_code())
        };
        assert_eq!(with("3"), Ok(()));
        assert_eq!((with("7"), with("0")), (Err(2), Err(2)));
    }

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
