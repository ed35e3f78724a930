module ipm.invalid/package

go 1.24

require (
	github.com/baulk/chardet v0.1.0 // indirect
	github.com/editorconfig-checker/editorconfig-checker/v3 v3.4.0 // indirect
	github.com/editorconfig/editorconfig-core-go/v2 v2.6.3 // indirect
	github.com/gabriel-vasile/mimetype v1.4.9 // indirect
	golang.org/x/mod v0.26.0 // indirect
	golang.org/x/net v0.39.0 // indirect
	golang.org/x/text v0.28.0 // indirect
	gopkg.in/ini.v1 v1.67.0 // indirect
)
