-- transit_search_bls_kovacs: is the result valid? Whether its candidate is credible is recorded beside it.
return require "lib.qc_search"
