-- transit_search_fbls: is the result valid? Whether its candidate is credible is recorded beside it.
return require "lib.qc_search"
