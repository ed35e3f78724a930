module example.org/unitleap

go 1.19
