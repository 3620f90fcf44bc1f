-- transit_search_dst_v26: dst-like search: shape and consistency of transits, events strictly on time.
--   input     lightcurve, best detrended
--   output    periodogram, debugging (optional, alike): period, f, z, depth, duration, t0, consistency, share, n_events
--   settings  search_settings.*, days; lc_duration truncates the light curve
--   metadata  period, depth, duration, t0, f, z, sde, transit_times, ttv, ...; outcome, target_period; credible, vetting
return require("lib.dst").task { shift = 0 }
