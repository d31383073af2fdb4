module k3os-migrate.lab/multicall

go 1.26.0
