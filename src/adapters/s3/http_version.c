/* Which libcurl, for `tidemark version`. */
#include "adapters/s3/http_version.h"

#include <curl/curl.h>
#include <stdio.h>

const char *http_version(void)
{
    static _Thread_local char text[128];
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    snprintf(text, sizeof text, "%s (%s)", info->version,
             info->ssl_version == NULL ? "no TLS" : info->ssl_version);
    return text;
}
