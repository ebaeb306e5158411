//! Which service a host belongs to: what a credential that names it opens.
//!
//! Pure text: a table of host suffixes. A host of nobody's known service gives nothing.

/// What a host name says of the service behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Kind of target, a word that rules use too: `sql`, `storage`, …
    pub kind: &'static str,
    /// `azure`, `aws` or `gcp`; empty for other providers.
    pub cloud: &'static str,
    /// The service's name for people.
    pub service: &'static str,
    /// What of the host is the customer's: server, account or bucket; the labels before the suffix.
    pub name: String,
    /// Region, where the host names it.
    pub region: Option<String>,
    /// Account number, where the host names it.
    pub account: Option<String>,
}

/// Which label of the customer's part of a host says what, counted from the right; the rest is the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Labels {
    /// All of it is the name.
    Name,
    /// `NAME.region`.
    Region,
    /// `NAME.unique.region`.
    UniqueRegion,
    /// `NAME.account.region`.
    AccountRegion,
    /// `NAME-region` or `region` alone, as `europe-docker.pkg.dev`.
    Dashed,
}

/// One row: host suffix, kind, cloud, service, labels.
type Row = (&'static str, &'static str, &'static str, &'static str, Labels);

/// Suffixes of hosts; the longest that fits counts.
///
/// Source: the services' pages on endpoints, <https://learn.microsoft.com/azure/security/fundamentals/azure-domains> and
/// <https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html>; those of other providers are general
/// knowledge.
const ROWS: &[Row] = &[
    ("blob.core.windows.net", "storage", "azure", "Azure Storage account", Labels::Name),
    ("file.core.windows.net", "storage", "azure", "Azure Storage account", Labels::Name),
    ("queue.core.windows.net", "storage", "azure", "Azure Storage account", Labels::Name),
    ("table.core.windows.net", "storage", "azure", "Azure Storage account", Labels::Name),
    ("dfs.core.windows.net", "storage", "azure", "Azure Storage account", Labels::Name),
    ("web.core.windows.net", "storage", "azure", "Azure Storage account", Labels::Name),
    ("blob.core.usgovcloudapi.net", "storage", "azure", "Azure Storage account", Labels::Name),
    ("file.core.usgovcloudapi.net", "storage", "azure", "Azure Storage account", Labels::Name),
    ("queue.core.usgovcloudapi.net", "storage", "azure", "Azure Storage account", Labels::Name),
    ("table.core.usgovcloudapi.net", "storage", "azure", "Azure Storage account", Labels::Name),
    ("blob.core.chinacloudapi.cn", "storage", "azure", "Azure Storage account", Labels::Name),
    ("file.core.chinacloudapi.cn", "storage", "azure", "Azure Storage account", Labels::Name),
    ("queue.core.chinacloudapi.cn", "storage", "azure", "Azure Storage account", Labels::Name),
    ("table.core.chinacloudapi.cn", "storage", "azure", "Azure Storage account", Labels::Name),
    ("database.windows.net", "sql", "azure", "Azure SQL database", Labels::Name),
    ("database.usgovcloudapi.net", "sql", "azure", "Azure SQL database", Labels::Name),
    ("database.chinacloudapi.cn", "sql", "azure", "Azure SQL database", Labels::Name),
    ("sql.azuresynapse.net", "sql", "azure", "Azure Synapse SQL pool", Labels::Name),
    ("postgres.database.azure.com", "sql", "azure", "Azure Database for PostgreSQL", Labels::Name),
    ("mysql.database.azure.com", "sql", "azure", "Azure Database for MySQL", Labels::Name),
    ("mariadb.database.azure.com", "sql", "azure", "Azure Database for MariaDB", Labels::Name),
    ("postgres.cosmos.azure.com", "sql", "azure", "Azure Cosmos DB for PostgreSQL", Labels::Name),
    ("documents.azure.com", "database", "azure", "Azure Cosmos DB", Labels::Name),
    ("mongo.cosmos.azure.com", "database", "azure", "Azure Cosmos DB for MongoDB", Labels::Name),
    ("mongocluster.cosmos.azure.com", "database", "azure", "Azure Cosmos DB for MongoDB", Labels::Name),
    ("cassandra.cosmos.azure.com", "database", "azure", "Azure Cosmos DB for Cassandra", Labels::Name),
    ("gremlin.cosmos.azure.com", "database", "azure", "Azure Cosmos DB for Gremlin", Labels::Name),
    ("table.cosmos.azure.com", "database", "azure", "Azure Cosmos DB for Table", Labels::Name),
    ("kusto.windows.net", "database", "azure", "Azure Data Explorer cluster", Labels::Region),
    ("redis.cache.windows.net", "redis", "azure", "Azure Cache for Redis", Labels::Name),
    ("redisenterprise.cache.azure.net", "redis", "azure", "Azure Cache for Redis Enterprise", Labels::Region),
    ("redis.azure.net", "redis", "azure", "Azure Managed Redis", Labels::Region),
    ("servicebus.windows.net", "messaging", "azure", "Azure Service Bus or Event Hubs namespace", Labels::Name),
    ("eventgrid.azure.net", "messaging", "azure", "Azure Event Grid topic", Labels::Region),
    ("service.signalr.net", "messaging", "azure", "Azure SignalR Service", Labels::Name),
    ("webpubsub.azure.com", "messaging", "azure", "Azure Web PubSub", Labels::Name),
    ("azure-devices.net", "iot", "azure", "Azure IoT Hub", Labels::Name),
    ("azure-devices-provisioning.net", "iot", "azure", "Azure IoT device provisioning", Labels::Name),
    ("azconfig.io", "app-configuration", "azure", "Azure App Configuration store", Labels::Name),
    ("azurecr.io", "container-registry", "azure", "Azure Container Registry", Labels::Name),
    ("vault.azure.net", "vault", "azure", "Azure Key Vault", Labels::Name),
    ("search.windows.net", "search", "azure", "Azure AI Search service", Labels::Name),
    ("communication.azure.com", "communication", "azure", "Azure Communication Services resource", Labels::Name),
    ("openai.azure.com", "ai-service", "azure", "Azure OpenAI resource", Labels::Name),
    ("cognitiveservices.azure.com", "ai-service", "azure", "Azure AI services resource", Labels::Name),
    ("services.ai.azure.com", "ai-service", "azure", "Azure AI services resource", Labels::Name),
    ("batch.azure.com", "batch", "azure", "Azure Batch account", Labels::Region),
    ("logic.azure.com", "workflow", "azure", "Azure Logic App", Labels::Region),
    ("azure-api.net", "api-management", "azure", "Azure API Management service", Labels::Name),
    ("scm.azurewebsites.net", "web-app", "azure", "Azure App Service deployment site", Labels::Name),
    ("azurewebsites.net", "web-app", "azure", "Azure App Service or Functions app", Labels::Name),
    ("azuredatabricks.net", "data-warehouse", "azure", "Azure Databricks workspace", Labels::Name),
    ("cloudapp.azure.com", "vm", "azure", "Azure virtual machine", Labels::Region),
    ("rds.amazonaws.com", "sql", "aws", "Amazon RDS database", Labels::UniqueRegion),
    ("rds.amazonaws.com.cn", "sql", "aws", "Amazon RDS database", Labels::UniqueRegion),
    ("redshift.amazonaws.com", "sql", "aws", "Amazon Redshift cluster", Labels::UniqueRegion),
    ("redshift.amazonaws.com.cn", "sql", "aws", "Amazon Redshift cluster", Labels::UniqueRegion),
    ("redshift-serverless.amazonaws.com", "sql", "aws", "Amazon Redshift workgroup", Labels::AccountRegion),
    ("docdb.amazonaws.com", "database", "aws", "Amazon DocumentDB cluster", Labels::UniqueRegion),
    ("neptune.amazonaws.com", "database", "aws", "Amazon Neptune cluster", Labels::UniqueRegion),
    ("cache.amazonaws.com", "redis", "aws", "Amazon ElastiCache", Labels::Name),
    ("es.amazonaws.com", "search", "aws", "Amazon OpenSearch domain", Labels::Region),
    ("aoss.amazonaws.com", "search", "aws", "Amazon OpenSearch collection", Labels::Region),
    ("compute.amazonaws.com", "vm", "aws", "Amazon EC2 instance", Labels::Region),
    ("storage.googleapis.com", "storage", "gcp", "Google Cloud Storage bucket", Labels::Name),
    ("gcr.io", "container-registry", "gcp", "Google Container Registry", Labels::Name),
    ("docker.pkg.dev", "container-registry", "gcp", "Google Artifact Registry", Labels::Dashed),
    ("mongodb.net", "database", "", "MongoDB Atlas cluster", Labels::Name),
    ("neon.tech", "sql", "", "Neon database", Labels::Name),
    ("supabase.co", "sql", "", "Supabase project", Labels::Name),
    ("supabase.com", "sql", "", "Supabase project", Labels::Name),
    ("psdb.cloud", "sql", "", "PlanetScale database", Labels::Name),
    ("cockroachlabs.cloud", "sql", "", "CockroachDB cluster", Labels::Name),
    ("aivencloud.com", "database", "", "Aiven service", Labels::Name),
    ("db.ondigitalocean.com", "database", "", "DigitalOcean database", Labels::Name),
    ("clickhouse.cloud", "database", "", "ClickHouse Cloud service", Labels::Name),
    ("snowflakecomputing.com", "data-warehouse", "", "Snowflake account", Labels::Name),
    ("upstash.io", "redis", "", "Upstash Redis database", Labels::Name),
    ("redislabs.com", "redis", "", "Redis Cloud database", Labels::Name),
    ("redis-cloud.com", "redis", "", "Redis Cloud database", Labels::Name),
    ("cloudamqp.com", "messaging", "", "CloudAMQP instance", Labels::Name),
    ("confluent.cloud", "messaging", "", "Confluent Cloud cluster", Labels::Name),
    ("docker.io", "container-registry", "", "Docker Hub", Labels::Name),
    ("docker.com", "container-registry", "", "Docker Hub", Labels::Name),
    ("ghcr.io", "container-registry", "", "GitHub Container Registry", Labels::Name),
    ("quay.io", "container-registry", "", "Quay registry", Labels::Name),
    ("registry.gitlab.com", "container-registry", "", "GitLab Container Registry", Labels::Name),
    ("registry.npmjs.org", "package-registry", "", "npm registry", Labels::Name),
    ("pypi.org", "package-registry", "", "Python Package Index", Labels::Name),
    ("pkgs.dev.azure.com", "package-registry", "azure", "Azure Artifacts feed", Labels::Name),
    ("pkgs.visualstudio.com", "package-registry", "azure", "Azure Artifacts feed", Labels::Name),
];

/// What `host` (no port, any case) belongs to, if to a service we know.
pub fn endpoint(host: &str) -> Option<Endpoint> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if let Some(found) = amazon(&host) {
        return Some(found);
    }
    let under = |suffix: &str| host.strip_suffix(suffix).filter(|before| before.is_empty() || before.ends_with('.'));
    let fits = |row: &&Row| match row.4 {
        Labels::Dashed => host.ends_with(row.0),
        _ => under(row.0).is_some(),
    };
    let &(suffix, kind, cloud, service, labels) = ROWS.iter().filter(fits).max_by_key(|row| row.0.len())?;
    let own = host[..host.len() - suffix.len()].trim_end_matches(['.', '-']);
    Some(split(own, labels, kind, cloud, service))
}

/// The customer's part of a host, taken apart.
fn split(own: &str, labels: Labels, kind: &'static str, cloud: &'static str, service: &'static str) -> Endpoint {
    let mut parts: Vec<&str> = own.split('.').filter(|part| !part.is_empty()).collect();
    let mut found = Endpoint { kind, cloud, service, name: String::new(), region: None, account: None };
    match labels {
        Labels::Region | Labels::UniqueRegion | Labels::AccountRegion if parts.len() > 1 => {
            found.region = parts.pop().map(str::to_owned);
        }
        Labels::Dashed => found.region = parts.pop().map(str::to_owned),
        _ => {}
    }
    match labels {
        Labels::UniqueRegion if parts.len() > 1 => drop(parts.pop()),
        Labels::AccountRegion if parts.last().is_some_and(|part| is_account(part)) => {
            found.account = parts.pop().map(str::to_owned);
        }
        _ => {}
    }
    // A node of a cluster and the second site of a storage account are what they belong to.
    let first = parts.first().copied().unwrap_or_default();
    found.name = match kind {
        "storage" if cloud == "azure" => first.strip_suffix("-secondary").unwrap_or(first).to_owned(),
        _ => first.to_owned(),
    };
    found
}

/// Hosts of Amazon whose region stands behind the service's name: buckets, registries, brokers.
fn amazon(host: &str) -> Option<Endpoint> {
    let own = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let parts: Vec<&str> = own.split('.').collect();
    let of = |kind, service, name: &str, region: Option<&str>, account: Option<&str>| Endpoint {
        kind,
        cloud: "aws",
        service,
        name: name.to_owned(),
        region: region.map(str::to_owned),
        account: account.map(str::to_owned),
    };
    if let [account, "dkr", "ecr", region] = parts[..]
        && is_account(account)
    {
        return Some(of(
            "container-registry",
            "Amazon Elastic Container Registry",
            account,
            Some(region),
            Some(account),
        ));
    }
    if let [broker, "mq", region] = parts[..] {
        return Some(of("messaging", "Amazon MQ broker", broker, Some(region), None));
    }
    // `bucket.s3.region`, `bucket.s3-region`, `s3.region`, `bucket.s3`; bucket names may hold dots.
    let at = parts.iter().position(|part| *part == "s3" || part.starts_with("s3-"))?;
    let behind = parts[at + 1..].iter().copied().find(|part| *part != "dualstack");
    let region = parts[at].strip_prefix("s3-").filter(|rest| *rest != "accelerate").or(behind);
    (parts.len() - at <= 3).then(|| {
        of("storage", "Amazon S3 bucket", &parts[..at].join("."), region.filter(|part| part.contains('-')), None)
    })
}

/// Whether `text` has the form of an account number.
fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_tell_service_name_region_and_account() {
        let cases = [
            ("acct.blob.core.windows.net", "storage", "azure", "acct", "", ""),
            ("acct-secondary.table.core.usgovcloudapi.net", "storage", "azure", "acct", "", ""),
            ("SRV.Database.Windows.Net.", "sql", "azure", "srv", "", ""),
            ("pg1.postgres.database.azure.com", "sql", "azure", "pg1", "", ""),
            ("c1.documents.azure.com", "database", "azure", "c1", "", ""),
            ("c.westeurope.kusto.windows.net", "database", "azure", "c", "westeurope", ""),
            ("cache1.redis.cache.windows.net", "redis", "azure", "cache1", "", ""),
            ("ns.servicebus.windows.net", "messaging", "azure", "ns", "", ""),
            ("acr.azurecr.io", "container-registry", "azure", "acr", "", ""),
            ("db1.abc123.eu-west-1.rds.amazonaws.com", "sql", "aws", "db1", "eu-west-1", ""),
            (
                "wg.123456789012.us-east-1.redshift-serverless.amazonaws.com",
                "sql",
                "aws",
                "wg",
                "us-east-1",
                "123456789012",
            ),
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
                "container-registry",
                "aws",
                "123456789012",
                "eu-west-1",
                "123456789012",
            ),
            ("b.a.s3.eu-west-1.amazonaws.com", "storage", "aws", "b.a", "eu-west-1", ""),
            ("bucket.s3-eu-west-1.amazonaws.com", "storage", "aws", "bucket", "eu-west-1", ""),
            ("bucket.s3.amazonaws.com", "storage", "aws", "bucket", "", ""),
            ("s3.dualstack.eu-west-1.amazonaws.com", "storage", "aws", "", "eu-west-1", ""),
            ("b-1.mq.us-east-1.amazonaws.com", "messaging", "aws", "b-1", "us-east-1", ""),
            ("bucket.storage.googleapis.com", "storage", "gcp", "bucket", "", ""),
            ("europe-west4-docker.pkg.dev", "container-registry", "gcp", "", "europe-west4", ""),
            ("index.docker.io", "container-registry", "", "index", "", ""),
            ("cluster0.ab1cd.mongodb.net", "database", "", "cluster0", "", ""),
        ];
        for (host, kind, cloud, name, region, account) in cases {
            let found = endpoint(host).expect(host);
            assert_eq!((found.kind, found.cloud, found.name.as_str()), (kind, cloud, name), "{host}");
            assert_eq!(found.region.as_deref().unwrap_or_default(), region, "{host}");
            assert_eq!(found.account.as_deref().unwrap_or_default(), account, "{host}");
        }
        for host in ["", ".", "example.com", "notazurecr.io", "windows.net", "amazonaws.com", "sts.amazonaws.com", "x"]
        {
            assert_eq!(endpoint(host), None, "{host}");
        }
    }

    #[test]
    fn suffixes_are_lower_case_and_written_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (suffix, kind, cloud, service, _) in ROWS {
            assert!(seen.insert(suffix) && *suffix == suffix.to_ascii_lowercase(), "{suffix}");
            assert!(!kind.is_empty() && !service.is_empty() && ["", "azure", "aws", "gcp"].contains(cloud), "{suffix}");
        }
    }
}
