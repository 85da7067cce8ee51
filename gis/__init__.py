"""Shaotu (哨图): whose ground an issue is on, who must come, and whether they did."""

import os

# GDAL goes by what stands in a file, whatever the file is called, and these would have it open something else: other
# files of this machine, addresses, programs. It is told before it wakes, so for everything here that reads with it.
os.environ["GDAL_SKIP"] = (
    "OGR_VRT,GDALG,HTTP,WFS,OAPIF,OGCAPI,CSW,EEDA,PLSCENES,NGW,Carto,AmigoCloud,Elasticsearch,ADBC,GPSBabel"
)
# A description that a file names by its address is not fetched: nobody listens there.
os.environ["GDAL_HTTP_PROXY"] = "127.0.0.1:9"
