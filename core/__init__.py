"""Everything that knows neither faces nor networks: options, files, video, geometry, colour."""
