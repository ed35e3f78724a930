module ipm.invalid/package

go 1.22.0

require (
	golang.org/x/mod v0.22.0 // indirect
	golang.org/x/sync v0.10.0 // indirect
	mvdan.cc/xurls/v2 v2.6.0 // indirect
)
