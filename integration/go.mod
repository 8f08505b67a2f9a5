module github.com/helenusdb/helenus/integration

go 1.26.0
