module ipm.invalid/package

go 1.21

require github.com/client9/misspell v0.3.4 // indirect
