-- transit_search_exotrans: is the result valid? Whether its candidate is credible is recorded beside it.
return require "lib.qc_search"
