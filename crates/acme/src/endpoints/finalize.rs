//! finalize (RFC 8555 section 7.4). Answers 200 with the order's URL; a repeated finalize is a poll.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::AcmeOrderId;
use serde::Deserialize;

use super::{Answer, id, orders};
use crate::AcmeServer;
use crate::jwk::Jwk;
use crate::problem::{Kind, Problem};
use crate::request::ByAccount;

#[derive(Deserialize)]
struct Finalize {
    csr: String,
}

pub async fn post(
    State(server): State<AcmeServer>,
    Path(path): Path<String>,
    request: ByAccount,
) -> Answer {
    let ByAccount { account, signed } = request;
    let number = AcmeOrderId(id(&path, "order")?);
    let wanted: Finalize = signed.read()?;
    let bad = |detail: String| Problem::new(Kind::BadCsr, detail);
    let der = URL_SAFE_NO_PAD.decode(&wanted.csr).map_err(|_| {
        bad("csr must be the CSR's DER in unpadded base64url, without PEM lines.".to_owned())
    })?;
    let csr = match lifecycle::acme::read_csr(&der) {
        Ok(csr) => csr,
        Err(error) => {
            // What others own must look the same whether the CSR is good or not.
            server.desk().order(&account, number).await?;
            return Err(error.into());
        }
    };
    if let Ok(key) = Jwk::from_spki(&csr.public_key_der) {
        // RFC 8555 section 11.1: an account's key must not be a certificate's key.
        if key == signed.key || server.desk().account_by_key(&key.thumbprint()).await?.is_some() {
            return Err(bad(
                "The CSR's key is an account's key. Make another key for the certificate."
                    .to_owned(),
            ));
        }
    }
    let mut order = server.desk().finalize(&account, number, csr, signed.address).await?;
    if order.status == domain::model::acme::AcmeOrderStatus::Processing {
        order = server.desk().settle(order.id).await?;
    }
    Ok(orders::answer(&server, &order, StatusCode::OK))
}
