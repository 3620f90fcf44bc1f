-- transit_search_dst_v26: is the result valid? Whether its candidate is credible is recorded beside it.
return require "lib.qc_search"
