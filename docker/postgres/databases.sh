#!/bin/sh
# Run once by PostgreSQL's image, with an empty volume: a database and an account each for the hub and the exchange.
set -eu
for name in hub exchange; do
    password=$(cat "/run/secrets/${name}_db_password")
    psql --set ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname postgres <<SQL
CREATE ROLE $name LOGIN PASSWORD '$password';
CREATE DATABASE $name OWNER $name ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE $name FROM PUBLIC;
SQL
done
